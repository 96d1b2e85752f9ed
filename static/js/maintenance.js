// Asks whether the portal is ready again, then loads the page that was asked for.
async function again() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" });
    if (answer.status !== 503) {
      location.replace(location.href);
      return;
    }
  } catch {
    // nobody answers at this moment: ask again
  }
  setTimeout(again, 2000);
}

setTimeout(again, 2000);
