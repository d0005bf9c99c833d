// What every walk through the dashboard shares: a browser that may only talk to this server, and the
// checks that every page must pass.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [base, out] = process.argv.slice(2);
const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };

async function open(browser, width, javaScriptEnabled = true) {
  // axe is put into the page by the test; the page's own policy is checked where it is off.
  const context = await browser.newContext({ viewport: WIDTHS[width], locale: "zh-CN", javaScriptEnabled });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  await page.route("**/*", (route) => {
    const url = route.request().url();
    assert.ok(url.startsWith(base) || url.startsWith("data:"), `a request to ${url}`);
    return route.continue();
  });
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${page.url()}: ${error}`));
  return page;
}

const problems = [];
let checked = 0;

async function check(page, name, width) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name} at ${width} is ${wide} px too wide`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  const told = grave.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).join("\n  ")}`);
  if (told.length) problems.push(`axe on ${name} at ${width}:\n${told.join("\n")}`);
  await page.screenshot({ path: path.join(out, `${name}-${WIDTHS[width].width}.png`), fullPage: true });
  checked += 1;
}

// What stood on every page that was open when a step failed.
async function tell(browser) {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const text = await page.locator("body").innerText({ timeout: 5000 }).catch(String);
    console.error(`at ${page.url()}:\n${text.slice(0, 1500)}\n`);
  }
}

// Runs `steps` in one browser; fails when a page had an error in its console or a grave finding.
function walk(steps) {
  fs.mkdirSync(out, { recursive: true });
  (async () => {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
      ],
    });
    try {
      await steps(browser);
    } catch (error) {
      await tell(browser);
      throw error;
    } finally {
      await browser.close();
    }
    assert.deepEqual(problems, []);
    console.log(`walked: ${checked} pages checked with axe-core, 0 serious findings, no foreign request`);
  })().catch((error) => {
    console.error(problems.join("\n"));
    console.error(error);
    process.exit(1);
  });
}

module.exports = { base, WIDTHS, open, check, walk };
