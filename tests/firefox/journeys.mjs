// What people do with the page, in Debian's Firefox, by WebDriver BiDi; one JSON argument says which journey, and where.

import puppeteer from "puppeteer-core";

const { journey, firefox, ...facts } = JSON.parse(process.argv[2]);
const WAIT_MS = 60_000;
const trouble = [];

const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true, timeout: 3 * WAIT_MS });
const page = await browser.newPage();
page.setDefaultTimeout(WAIT_MS);
await page.setViewport({ width: 360, height: 740 });
await page.evaluateOnNewDocument(() => {
  addEventListener("securitypolicyviolation", (event) => console.error(`blocked by the policy: ${event.blockedURI} (${event.effectiveDirective})`));
});
page.on("pageerror", (error) => trouble.push(`exception: ${error.message}`));
page.on("console", (message) => message.type() === "error" && trouble.push(`console: ${message.text()}`));

/** Wait until an element whose text contains this is seen. */
function sees(selector, text = "") {
  return page.waitForFunction(
    (where, what) => [...document.querySelectorAll(where)].some((one) => one.checkVisibility() && one.textContent.includes(what)),
    {},
    selector,
    text,
  ).catch((error) => {
    throw new Error(`${selector} with "${text}" is not seen: ${error.message}`);
  });
}

/** Press what has this name: a button, a link, what opens, a box. */
async function press(name, within = "body") {
  const found = await page.waitForFunction(
    (where, what) =>
      [...document.querySelector(where).querySelectorAll("button, a, summary")].find(
        (one) => one.checkVisibility() && one.textContent.replace(/\s+/g, " ").trim().startsWith(what),
      ),
    {},
    within,
    name,
  ).catch((error) => {
    throw new Error(`"${name}" cannot be pressed: ${error.message}`);
  });
  try {
    await found.evaluate((one) => one.scrollIntoView({ block: "center" }));
    await found.click();
  } catch (error) {
    // A page that goes on by itself has put another one in its place: that one is pressed.
    if (await found.evaluate((one) => one.isConnected).catch(() => false)) throw error;
    await press(name, within);
  }
}

async function fill(name, text) {
  const field = await page.waitForSelector(`[name="${name}"]`);
  await field.type(text);
}

async function signIn() {
  await page.goto(`${facts.url}/downloads`);
  await fill("username", facts.name);
  await fill("password", facts.password);
  await page.keyboard.press("Enter");
  await sees("h1", "Downloads");
}

const journeys = {
  /** Somebody presses *Download*, sees it come where it stands, hearts another one, halts it and hears it. */
  async listener() {
    await signIn();
    await page.goto(`${facts.url}/library/${facts.album}`);
    await press("Download Tone 2", "#main");
    await sees(".get.is-completed");

    await page.goto(`${facts.url}/downloads`);
    await fetch(facts.heart, { method: "POST", headers: { Authorization: facts.authorization } });
    await sees(".row", "Downloading");
    await press("Pause Long Noise");
    await sees(".row", "Paused");
    await sees("#done", "paused");
    await press("Resume Long Noise");
    await sees(".row", "Downloading");
    // Live: nobody loads this page again.
    await sees("a", "Completed 2");

    await page.goto(`${facts.url}/offline`);
    await page.evaluate(() => document.activeElement?.blur());
    await page.goto(`${facts.url}/library/${facts.album}`);
    await press("Play Tone 2", "#main");
    await sees("#player", "Tone 2");
    const isHeard = () => page.waitForFunction(() => document.querySelector("#player audio").currentTime > 0.3);
    await isHeard();
    // It plays on while the page changes, and the next page follows the keys.
    await page.evaluate(() => (window.mark = "same"));
    await press("Downloads", "header, nav");
    await sees("h1", "Downloads");
    if ((await page.evaluate(() => window.mark)) !== "same") throw new Error("the page was loaded anew while it played");
    await isHeard();
    await page.keyboard.press("?");
    await sees("dialog h1, dialog h2", "");
    await page.keyboard.press("Escape");
    await press("Close the player", "#player");
  },

  /** The first start: from an empty folder to somebody's own Jellyfin, without a file. */
  async setUp() {
    await page.goto(facts.url);
    await press("Set up with your own Jellyfin");
    await fill("address", facts.jellyfin);
    await press("Test and go on");
    await sees("#main", "Sign in as its administrator");
    await fill("username", facts.name);
    await fill("password", facts.password);
    await press("Sign in", "form");
    await sees("h1", "Your Jellyfin is connected");
    // It starts anew meanwhile, and the page goes on by itself.
    await page.waitForFunction(() => window.location.pathname.endsWith("/devices/add"));
    await sees("#main", "plugged in");
  },
};

try {
  await journeys[journey]();
} catch (error) {
  trouble.push(error.message, page.url(), (await page.evaluate(() => document.body.innerText)).slice(0, 2000));
} finally {
  await browser.close();
}
for (const one of trouble) console.error(one);
process.exit(trouble.length ? 1 : 0);
