// What several elements look like: Home Assistant's own variables and nothing else, so that any theme fits.

import { css } from "lit";

export const shared = css`
  :host {
    --ff-line: var(--divider-color, rgba(0, 0, 0, 0.12));
    --ff-soft: color-mix(in srgb, var(--primary-text-color) 7%, transparent);
    --ff-link: color-mix(in srgb, var(--primary-color) 62%, var(--primary-text-color));
    --ff-good: color-mix(in srgb, var(--success-color, #43a047) 55%, var(--primary-text-color));
    --ff-warn: color-mix(in srgb, var(--warning-color, #ffa600) 42%, var(--primary-text-color));
    --ff-bad: color-mix(in srgb, var(--error-color, #db4437) 65%, var(--primary-text-color));
    --ff-muted: color-mix(in srgb, var(--secondary-text-color) 75%, var(--primary-text-color));
    color: var(--primary-text-color);
    font-family: var(--ha-font-family-body, var(--paper-font-body1_-_font-family, Roboto, sans-serif));
    font-size: 14px;
    line-height: 20px;
    -webkit-font-smoothing: antialiased;
  }
  [hidden] {
    display: none !important;
  }
  svg {
    width: 20px;
    height: 20px;
    fill: currentColor;
    flex: none;
    display: block;
  }
  button,
  select,
  input {
    font: inherit;
    color: inherit;
  }
  button {
    background: none;
    border: 0;
    padding: 0;
    cursor: pointer;
  }
  button:disabled {
    cursor: default;
    opacity: 0.5;
  }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 2px;
  }
  .icon-button {
    width: 36px;
    height: 36px;
    display: inline-grid;
    place-items: center;
    border-radius: 50%;
    flex: none;
    color: var(--ff-muted);
  }
  .icon-button:hover {
    background: var(--ff-soft);
  }
  .link {
    color: var(--ff-link);
    font-weight: 500;
    padding: 8px;
    border-radius: 8px;
    text-decoration: none;
  }
  .link:hover {
    background: var(--ff-soft);
  }
  .tonal {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: 36px;
    box-sizing: border-box;
    padding: 6px 16px;
    border-radius: 18px;
    font-weight: 500;
    color: var(--ff-link);
    background: color-mix(in srgb, var(--primary-color) 14%, var(--card-background-color));
  }
  .tonal:hover:not(:disabled) {
    background: color-mix(in srgb, var(--primary-color) 22%, var(--card-background-color));
  }
  .tag {
    display: inline-block;
    padding: 0 8px;
    border-radius: 10px;
    font-size: 12px;
    line-height: 20px;
    font-weight: 500;
    white-space: nowrap;
    color: var(--ff-good);
    background: color-mix(in srgb, var(--success-color, #43a047) 12%, transparent);
  }
  .tag.fairly {
    color: var(--ff-warn);
    background: color-mix(in srgb, var(--warning-color, #ffa600) 14%, transparent);
  }
  .tag.said {
    color: var(--ff-link);
    background: color-mix(in srgb, var(--primary-color) 12%, transparent);
  }
  .second {
    color: var(--ff-muted);
    font-size: 13px;
  }
  .card {
    background: var(--ha-card-background, var(--card-background-color));
    border: 1px solid var(--ha-card-border-color, var(--ff-line));
    border-radius: var(--ha-card-border-radius, 12px);
  }
  /* What stands where there is nothing to show. */
  .empty {
    margin-top: 16px;
    padding: 40px 24px;
    display: grid;
    justify-items: center;
    gap: 8px;
    text-align: center;
  }
  .empty svg {
    width: 40px;
    height: 40px;
    color: var(--ff-muted);
  }
  .empty.good svg {
    color: var(--ff-good);
  }
  .empty p {
    margin: 0;
    max-width: 420px;
  }
  /* What may be old: without its colours, so that it can still be read. */
  .old {
    filter: grayscale(1);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

// What dialogs look like.
export const dialogs = css`
  dialog {
    color: inherit;
    font: inherit;
    background: var(--card-background-color);
    border: 0;
    border-radius: 24px;
    padding: 0;
    width: min(560px, calc(100vw - 24px));
    max-height: min(760px, calc(100dvh - 24px));
  }
  dialog::backdrop {
    background: rgba(0, 0, 0, 0.5);
  }
  dialog > form,
  dialog > .inside {
    display: flex;
    flex-direction: column;
    gap: 12px;
    padding: 16px 20px;
    box-sizing: border-box;
  }
  dialog header {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  dialog h2 {
    margin: 0;
    font-size: 20px;
    line-height: 28px;
    font-weight: 400;
    color: inherit;
  }
  dialog footer {
    display: flex;
    flex-wrap: wrap;
    justify-content: flex-end;
    align-items: center;
    gap: 12px;
  }
  .field {
    padding: 12px;
    border: 1px solid var(--ff-muted);
    border-radius: 8px;
    background: transparent;
    min-width: 0;
  }
  .field::placeholder {
    color: var(--ff-muted);
  }
  .check {
    display: flex;
    align-items: center;
    gap: 12px;
    min-height: 40px;
  }
  .check input {
    width: 20px;
    height: 20px;
    accent-color: var(--primary-color);
    margin: 0;
    flex: none;
  }
  .note {
    display: flex;
    gap: 12px;
    align-items: flex-start;
    margin: 0;
    padding: 12px;
    border-radius: 12px;
    background: color-mix(in srgb, var(--primary-color) 8%, transparent);
  }
  .note.warn {
    background: color-mix(in srgb, var(--warning-color, #ffa600) 14%, transparent);
  }
  .note.warn > svg {
    color: var(--ff-warn);
  }
  .note.bad {
    background: color-mix(in srgb, var(--error-color, #db4437) 10%, transparent);
    color: var(--ff-bad);
  }
  .filled {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: 40px;
    box-sizing: border-box;
    padding: 6px 20px;
    border-radius: 20px;
    font-weight: 500;
    color: var(--ff-link);
    background: color-mix(in srgb, var(--primary-color) 20%, var(--card-background-color));
  }
  .danger {
    color: var(--ff-bad);
    background: color-mix(in srgb, var(--error-color, #db4437) 12%, var(--card-background-color));
  }
  .plain {
    display: inline-flex;
    align-items: center;
    gap: 6px;
  }
  .rows {
    margin: 0;
    display: grid;
  }
  .rows > div {
    display: flex;
    justify-content: space-between;
    gap: 12px;
    padding: 9px 0;
  }
  .rows > div + div {
    border-top: 1px solid var(--ff-line);
  }
  .rows dd {
    margin: 0;
    text-align: end;
  }
`;
