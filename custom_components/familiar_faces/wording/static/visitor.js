// Everything works without this. It sends photos as soon as they are chosen, and no form twice.
"use strict";

function shut(form) {
  form.classList.add("sent");
  for (const button of form.querySelectorAll("button")) {
    button.disabled = true;
  }
}

function open(form) {
  form.classList.remove("sent");
  for (const button of form.querySelectorAll("button")) {
    button.disabled = false;
  }
}

function preview(form, files) {
  const row = document.createElement("div");
  row.className = "previews";
  for (const file of files) {
    const image = document.createElement("img");
    image.alt = "";
    // Not every browser shows what every phone writes.
    image.addEventListener("error", () => image.remove());
    const reader = new FileReader();
    reader.addEventListener("load", () => { image.src = reader.result; });
    reader.readAsDataURL(file);
    row.append(image);
  }
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.textContent = form.dataset.sending;
  form.append(row, status);
}

for (const form of document.querySelectorAll("form")) {
  // After the browser has taken what the form holds.
  form.addEventListener("submit", () => setTimeout(() => shut(form)));
}

for (const form of document.querySelectorAll("form.upload")) {
  const input = form.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    if (input.files.length) {
      preview(form, input.files);
      form.requestSubmit();
    }
  });
}

// A page that comes back from the browser's memory can be used again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    document.querySelectorAll("form").forEach(open);
    document.querySelectorAll(".previews, form.upload [role=status]").forEach((each) => each.remove());
    document.querySelectorAll("form.upload").forEach((form) => form.reset());
  }
});
