// Builds the panel and the card into one module, only when it is not there as its sources are.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const integration = join(here, "..", "custom_components", "familiar_faces");
const target = join(integration, "panel", "dist", "familiar-faces.js");
const stamp = join(here, "node_modules", ".built");
const LARGEST = 120 * 1024;

// The texts of the panel in each language, and no other texts.
const texts = {
  name: "texts",
  setup(build) {
    build.onLoad({ filter: /translations[/\\][a-z]+\.json$/ }, ({ path }) => ({
      contents: JSON.stringify({ config_panel: JSON.parse(readFileSync(path, "utf8")).config_panel }),
      loader: "json",
    }));
  },
};

function sources() {
  const found = readdirSync(join(here, "src"), { recursive: true })
    .map((name) => join(here, "src", String(name)))
    .filter((path) => path.endsWith(".ts"));
  const languages = ["de", "en", "nl"].map((each) => join(integration, "translations", `${each}.json`));
  return [...found.sort(), ...languages, join(here, "build.mjs"), join(here, "package-lock.json")];
}

const hash = createHash("sha256");
for (const path of sources()) hash.update(readFileSync(path)).update("\0");
const wanted = hash.digest("hex");
const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};
const digest = (text) => createHash("sha256").update(text).digest("hex");
if (read(stamp) !== `${wanted} ${digest(read(target))}`) {
  const built = await esbuild.build({
    entryPoints: [join(here, "src", "main.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    charset: "utf8",
    legalComments: "eof",
    plugins: [texts],
    write: false,
    logLevel: "warning",
  });
  const code = built.outputFiles[0].text;
  const size = gzipSync(code, { level: 9 }).length;
  if (size > LARGEST) throw new Error(`the panel has ${size} bytes when compressed, ${LARGEST} are allowed`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, code);
  writeFileSync(stamp, `${wanted} ${digest(code)}`);
  console.error(`[frontend] built the panel: ${(size / 1024).toFixed(1)} kB compressed`);
}
