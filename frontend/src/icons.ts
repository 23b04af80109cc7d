// Icons, as paths of 24 by 24: drawn at once, where Home Assistant's own element fetches them.

import { type TemplateResult, svg, html } from "lit";

export {
  mdiAccountMultiple,
  mdiAccountQuestion,
  mdiAlertCircleOutline,
  mdiBell,
  mdiBellOff,
  mdiBellOffOutline,
  mdiCalendarClock,
  mdiCameraPlusOutline,
  mdiCctv,
  mdiCheck,
  mdiCheckCircle,
  mdiCheckCircleOutline,
  mdiChevronDown,
  mdiChevronLeft,
  mdiChevronRight,
  mdiChevronUp,
  mdiClipboardCheckOutline,
  mdiClose,
  mdiCogOutline,
  mdiDeleteOutline,
  mdiDoor,
  mdiEyeOutline,
  mdiHelpCircleOutline,
  mdiHistory,
  mdiImageOffOutline,
  mdiImageRefreshOutline,
  mdiLanDisconnect,
  mdiMenu,
  mdiMotionSensor,
  mdiPlus,
  mdiRefresh,
  mdiRotateRight,
  mdiShieldCheckOutline,
  mdiShieldLockOutline,
  mdiTimerSandEmpty,
  mdiTune,
  mdiVideoOutline,
} from "@mdi/js";

export function icon(path: string): TemplateResult {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">${svg`<path d=${path}></path>`}</svg>`;
}
