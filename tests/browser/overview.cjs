// Walks through the overview: every period, by mouse and keyboard, to the rows behind a figure, without
// JavaScript, and on paper.
"use strict";
const assert = require("node:assert/strict");

const { base, WIDTHS, open, check, walk } = require("./shared.cjs");
const VIEWER = { name: "看日志的", password: "long enough 1" };

async function logIn(page) {
  await page.goto(`${base}/login`);
  await page.getByLabel("用户名").fill(VIEWER.name);
  await page.getByLabel("密码").fill(VIEWER.password);
  await page.getByRole("button", { name: "登录" }).click();
  await page.waitForURL(`${base}/`);
}

// The chart that is meant for this width, and only it, is seen.
async function oneChart(page, width) {
  const shown = await page.locator(".chart svg").evaluateAll((all) => all.filter((s) => s.checkVisibility()).length);
  assert.equal(shown, 1, `one chart at ${width}`);
}

async function everyPeriod(browser, width) {
  const page = await open(browser, width);
  await logIn(page);
  for (const [label, name] of [["最近 7 天", "7d"], ["本月", "month"], ["本季", "quarter"], ["今年", "year"], ["全部", "all"]]) {
    await page.getByRole("link", { name: label, exact: true }).click();
    await page.waitForURL(`${base}/?period=${name}`);
    assert.equal(await page.getByRole("link", { name: label, exact: true }).getAttribute("aria-current"), "true");
  }
  await page.getByText("提问次数", { exact: true }).first().waitFor();
  await oneChart(page, width);
  await check(page, "overview", width);
  for (const summary of await page.locator("summary").all()) await summary.click();
  await check(page, "overview-unfolded", width);
  await page.goto(`${base}/?from=2001-01-01&to=2001-01-02`);
  await page.getByText("这段时间没有居民提问。").waitFor();
  await check(page, "overview-empty", width);
  await page.context().close();
}

async function fromFigureToRows(browser) {
  const page = await open(browser, "desktop");
  await logIn(page);
  await page.goto(`${base}/?period=all`);
  const questions = Number(await page.locator(".figure .value").first().innerText());
  assert.ok(questions > 0);
  await page.locator(".figure .value a").first().click();
  await page.waitForURL(/\/questions\?from=/);
  await page.getByText(`共 ${questions} 条`).waitFor();
  await page.goBack();
  const topics = page.getByRole("region", { name: "各主题大类的提问", exact: true });
  const row = topics.getByRole("row", { name: /劳动用工/ });
  const count = await row.getByRole("cell").first().innerText();
  await row.getByRole("link").click();
  await page.waitForURL(/topic=labor/);
  await page.getByText(`共 ${count} 条`).waitFor();
  await page.goBack();
  const grid = page.getByRole("region", { name: "各场所、各主题大类的提问（次）" });
  const cell = grid.getByRole("link").first();
  const number = await cell.innerText();
  await cell.click();
  await page.waitForURL(/place=.*|topic=.*/);
  await page.getByText(`共 ${number} 条`).waitFor();
  await page.context().close();
}

async function byKeyboard(browser) {
  const page = await open(browser, "desktop");
  await logIn(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "最近 7 天");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${base}/?period=7d`);
  await page.getByLabel("从", { exact: true }).fill("2001-01-01");
  await page.getByRole("button", { name: "看这段时间" }).press("Enter");
  await page.waitForURL(/from=2001-01-01/);
  await page.getByText("提问次数", { exact: true }).first().waitFor();
  await page.context().close();
}

async function withoutJavaScript(browser) {
  const page = await open(browser, "phone", false);
  await logIn(page);
  await page.goto(`${base}/?period=all`);
  await page.getByText("看表").click();
  await page.getByRole("region", { name: "提问的时间分布", exact: true }).getByRole("row").nth(1).waitFor();
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".switch").first().isVisible(), false, "nothing to press on paper");
  await page.context().close();
}

walk(async (browser) => {
  for (const width of Object.keys(WIDTHS)) await everyPeriod(browser, width);
  await fromFigureToRows(browser);
  await byKeyboard(browser);
  await withoutJavaScript(browser);
});
