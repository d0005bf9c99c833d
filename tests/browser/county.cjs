// Walks through what a county sees of its offices, with and without JavaScript.
"use strict";
const assert = require("node:assert/strict");

const { base, WIDTHS, open, check, walk } = require("./shared.cjs");

async function logIn(page) {
  await page.goto(`${base}/login`);
  await page.getByLabel("用户名").fill("县里的");
  await page.getByLabel("密码").fill("long enough 3");
  await page.getByRole("button", { name: "登录" }).click();
  await page.waitForURL(`${base}/county`);
}

async function look(browser, width, script) {
  const page = await open(browser, width, script);
  await logIn(page);
  await page.getByRole("rowheader", { name: "青石镇司法所" }).waitFor();
  if (script) await check(page, "county", width);
  await page.getByRole("link", { name: "今年", exact: true }).click();
  await page.waitForURL(`${base}/county?period=year`);
  await page.getByLabel("从", { exact: true }).fill("2001-01-01");
  await page.getByLabel("到", { exact: true }).fill("2001-01-02");
  await page.getByRole("button", { name: "看这段时间" }).press("Enter");
  await page.getByText("2001-01-01 到 2001-01-02，3 个司法所").waitFor();
  if (script) await check(page, "county-empty", width);
  const links = await page.getByRole("navigation", { name: "主菜单" }).getByRole("link").allInnerTexts();
  if (links.length) assert.deepEqual(links, ["各所概览", "设置"]);
  await page.goto(`${base}/settings`);
  if (script) await check(page, "county-settings", width);
  assert.equal(await page.getByRole("link", { name: "改单位配置" }).count(), 0);
  await page.context().close();
}

walk(async (browser) => {
  for (const width of Object.keys(WIDTHS)) await look(browser, width, true);
  await look(browser, "desktop", false);
});
