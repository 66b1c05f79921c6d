// Keeps a page that waits for work up to date: fetches it again, and shows it anew once the work is over.

const ATTRIBUTE = "data-concord-poll";

async function look(region) {
  const wait = Number(region.getAttribute(ATTRIBUTE));
  let fresh;
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    if (!response.ok) throw new Error(String(response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    fresh = page.querySelector(`[${ATTRIBUTE}]`);
    if (!fresh) {
      location.reload();
      return;
    }
  } catch {
    // The site may be away for a moment: ask again, less often.
    setTimeout(look, wait * 3, region);
    return;
  }
  // Nothing is touched while a reader's focus is in it, and nothing that has not changed is said again.
  if (fresh.innerHTML !== region.innerHTML && !region.contains(document.activeElement)) {
    region.replaceChildren(...fresh.childNodes);
  }
  setTimeout(look, wait, region);
}

const region = document.querySelector(`[${ATTRIBUTE}]`);
if (region) setTimeout(look, Number(region.getAttribute(ATTRIBUTE)), region);
