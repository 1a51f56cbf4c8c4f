/** Light, dark, or as the system has it; kept in this browser. */

export type Theme = "system" | "light" | "dark";
const KEY = "headrace-theme";

class Look {
  theme = $state<Theme>(read());

  set(theme: Theme): void {
    this.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // a browser without storage forgets it
    }
    apply(theme);
  }
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

function apply(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === "system" ? "light dark" : theme;
}

export const look = new Look();
apply(look.theme);
