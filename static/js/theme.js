// Runs before the first paint: this browser's own choice of colours goes before the one saved for the user.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is switched off: the saved choice or the system's colours stay
}
