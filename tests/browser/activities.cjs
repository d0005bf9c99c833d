// Walks through 普法活动, 宣传点, 报告 and the settings in headless Chromium: an activity is written down and
// seen, a board gets its poster, a report is read and taken away. Also with JavaScript off.
//
//   NODE_PATH=… node activities.cjs http://127.0.0.1:… folder-for-screenshots
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");

const { base, WIDTHS, open, check, walk } = require("./shared.cjs");
const ADMIN = { name: "李主任", password: "long enough 3" };
const TITLE = "送法进工地：工资怎么要回来";

async function logIn(page) {
  await page.goto(`${base}/activities`);
  await page.getByLabel("用户名").fill(ADMIN.name);
  await page.getByLabel("密码").fill(ADMIN.password);
  await page.getByRole("button", { name: "登录" }).click();
  await page.waitForURL(`${base}/activities`);
}

async function download(page, click) {
  const [file] = await Promise.all([page.waitForEvent("download"), click()]);
  return fs.readFileSync(await file.path());
}

async function writeDown(browser) {
  const page = await open(browser, "desktop");
  await logIn(page);
  await page.getByRole("link", { name: "记一次活动" }).first().click();
  await page.getByLabel("活动名称").fill(TITLE);
  await page.getByLabel("开始日期").fill("2026-06-10");
  await page.getByLabel("企业").check();
  await page.getByLabel("讲座").check();
  await page.getByLabel("发放资料").check();
  await page.getByLabel("第 1 个主题").selectOption({ label: "　工资与用工" });
  await page.getByLabel("参加人数").fill("很多");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("写的都还在，改好再保存").waitFor();
  assert.equal(await page.getByLabel("活动名称").inputValue(), TITLE);
  assert.ok(await page.getByLabel("发放资料").isChecked());
  for (const width of Object.keys(WIDTHS)) {
    await page.setViewportSize(WIDTHS[width]);
    await check(page, "activity-form-fault", width);
  }
  await page.setViewportSize(WIDTHS.desktop);
  await page.getByLabel("参加人数").fill("45");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("已记进台账。").waitFor();
  await page.getByRole("link", { name: "为它设一个宣传点" }).click();
  await page.getByLabel("名称").fill("文化广场宣传栏");
  await page.getByRole("button", { name: "新设" }).click();
  await page.getByText("已新设。").waitFor();
  const poster = await download(page, () => page.getByRole("link", { name: "文化广场宣传栏 的海报，A4" }).click());
  assert.equal(poster.subarray(0, 4).toString(), "%PDF");
  await page.goto(`${base}/activities/duties?year=2026`);
  await page.getByLabel("责任单位").fill("青石镇司法所");
  await page.getByLabel("普法内容").fill("保障农民工工资支付条例、劳动合同法");
  await page.getByLabel("2026 年计划几次").fill("12");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("已写进责任清单。").waitFor();
  await page.goto(`${base}/activities`);
  const book = await download(page, () => page.getByRole("link", { name: "导出 Excel" }).click());
  assert.equal(book.subarray(0, 2).toString(), "PK");
  await page.context().close();
}

async function everyPage(browser, width) {
  const page = await open(browser, width);
  await logIn(page);
  await check(page, "activities", width);
  await page.getByRole("link", { name: TITLE }).click();
  await check(page, "activity", width);
  for (const [name, where] of [
    ["activity-import", "/activities/import"],
    ["calendar", "/activities/calendar"],
    ["duties", "/activities/duties?year=2026"],
    ["boards", "/boards"],
    ["reports-empty", "/reports"],
    ["settings-office", "/settings/office"],
    ["doctor", "/settings/doctor"],
    ["settings", "/settings"],
  ]) {
    await page.goto(base + where);
    await check(page, name, width);
  }
  await page.goto(`${base}/reports`);
  await page.getByText("或者自己定哪天到哪天").click();
  const today = await page.evaluate(() => new Date().toISOString().slice(0, 10));
  await page.getByLabel("从这一天").fill("2026-01-01");
  await page.getByLabel("到这一天").fill(today);
  await page.getByRole("button", { name: "看看写些什么" }).click();
  await page.getByRole("heading", { name: "一、概述" }).waitFor();
  await check(page, "report", width);
  const word = await download(page, () => page.getByRole("link", { name: "Word 报告" }).click());
  assert.equal(word.subarray(0, 2).toString(), "PK");
  await page.context().close();
}

async function withoutJavaScript(browser) {
  const page = await open(browser, "phone", false);
  await logIn(page);
  await page.getByRole("link", { name: "日历" }).click();
  await page.getByRole("heading", { name: /年普法日历/ }).waitFor();
  await page.getByRole("link", { name: "宣传点" }).click();
  await page.getByText("文化广场宣传栏").first().waitFor();
  await page.goto(`${base}/activities`);
  await page.getByRole("link", { name: TITLE }).click();
  await page.getByText("取消或删除这次活动").click();
  await page.getByRole("button", { name: "删除这次活动" }).click();
  await page.getByText("已从台账里删掉").waitFor();
  await page.context().close();
}

walk(async (browser) => {
  await writeDown(browser);
  for (const width of Object.keys(WIDTHS)) await everyPage(browser, width);
  await withoutJavaScript(browser);
});
