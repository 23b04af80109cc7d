// What the pages of people look like.

import { css } from "lit";

export const pages = css`
  :host {
    display: block;
    max-width: 1060px;
    margin: 0 auto;
    padding: 12px 24px 32px;
  }
  :host([narrow]) {
    padding: 8px 8px 24px;
  }
  .loading {
    height: 220px;
    background: var(--ff-soft);
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
    gap: 16px;
    align-items: start;
    margin-top: 16px;
  }
  .columns > div {
    display: grid;
    gap: 16px;
    min-width: 0;
  }
  :host([narrow]) .columns {
    grid-template-columns: minmax(0, 1fr);
  }
  .box {
    padding: 16px;
    display: grid;
    gap: 12px;
    min-width: 0;
  }
  .box > header {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    justify-content: space-between;
    align-items: center;
  }
  .box h2 {
    margin: 0;
    font-size: 20px;
    line-height: 28px;
    font-weight: 400;
  }
  .box p {
    margin: 0;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  .consent {
    margin: 0;
    padding: 0;
    list-style: none;
    display: grid;
    gap: 12px;
  }
  .consent li {
    display: flex;
    gap: 10px;
  }
  .consent .second {
    display: block;
  }
  .consent .yes > svg {
    color: var(--ff-good);
  }
  .consent .no {
    color: var(--ff-muted);
  }
`;
