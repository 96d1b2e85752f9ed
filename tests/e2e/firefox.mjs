// Drives Firefox from the sign-in page to a registered component:
//   node firefox.mjs PORTAL_URL NAME PASSWORD FIREFOX
// Prints one JSON line: {registered: "<address of the page>", messages: [...]}. Exits 1 with a message when a step fails.
import puppeteer from "puppeteer-core";

const [portal, name, password, executablePath] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
try {
  const page = await browser.newPage();
  const messages = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) messages.push(message.text());
  });
  await page.setViewport({ width: 1280, height: 900 });

  await page.goto(`${portal}/login/`);
  await page.type("input[name=username]", name);
  await page.type("input[name=password]", password);
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit], input[type=submit]")]);

  await page.goto(`${portal}/components/add/`);
  await page.type("input[name=name]", "from-firefox");
  await page.select("select[name$=driver]", "alert_only");
  await page.type("input[name$=address]", "127.0.0.9");
  await Promise.all([page.waitForNavigation(), page.click("main form button[type=submit].pri, main form button.pri")]);

  await page.goto(`${portal}/components/?q=from-firefox`);
  const text = await page.$eval("main", (main) => main.textContent);
  if (!text.includes("from-firefox")) throw new Error(`not registered; the page says: ${text.slice(0, 400)}`);
  console.log(JSON.stringify({ registered: page.url(), messages }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
}
