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
    padding: 0 16px;
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
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
