// Walks through the dashboard and the chat in headless Chromium, as staff and as a resident.
//
//   NODE_PATH=… node walk.cjs http://127.0.0.1:… folder-for-screenshots
//
// Fails on the first thing that is not as it must be: a missing page, a serious finding of axe-core,
// a request to another host, a page wider than its window, an error in the console.
"use strict";
const assert = require("node:assert/strict");

const { base, WIDTHS, open, check, walk } = require("./shared.cjs");
const ADMIN = { name: "李主任", password: "long enough 3" };

async function logIn(page) {
  await page.goto(`${base}/questions`);
  await page.getByLabel("用户名").fill(ADMIN.name);
  await page.getByLabel("密码").fill(ADMIN.password);
  await page.getByRole("button", { name: "登录" }).click();
  await page.waitForURL(`${base}/questions`);
}

async function everyPage(browser, width) {
  const page = await open(browser, width);
  await page.goto(`${base}/login`);
  await check(page, "login", width);
  await page.goto(`${base}/ask`);
  await check(page, "ask", width);
  await logIn(page);
  await check(page, "questions", width);
  await page.getByText("更多筛选").click();
  await check(page, "questions-filter", width);
  await page.goto(`${base}/questions?from=2001-01-01&to=2001-01-02`);
  await check(page, "questions-empty", width);
  await page.goto(`${base}/questions`);
  await page.locator("td.words a").first().click();
  await page.getByRole("heading", { name: "问了什么" }).waitFor();
  await check(page, "question", width);
  await page.goto(`${base}/handovers`);
  await check(page, "handovers", width);
  await page.locator("td.words a").first().click();
  await check(page, "handover", width);
  await page.goto(`${base}/settings`);
  await check(page, "settings", width);
  await page.context().close();
}

async function filterByKeyboard(browser) {
  const page = await open(browser, "desktop");
  await logIn(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.getByLabel("结果").selectOption({ label: "未收录" });
  await page.getByLabel("原话里有").fill("卫星");
  await page.getByLabel("原话里有").press("Enter");
  await page.waitForURL(/kind=unknown/);
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.locator("h1").click();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "问了什么" }).waitFor();
  await page.context().close();
}

async function chat(browser) {
  const page = await open(browser, "phone");
  await page.goto(`${base}/ask`);
  const box = page.getByLabel("用平常话说说遇到了什么事");
  await box.fill("老板拖欠工资怎么办？");
  await box.press("Enter");
  await page.locator(".turn .reply").waitFor();
  await page.getByRole("button", { name: "👍 有用" }).click();
  await page.getByText("谢谢！您的评价会帮我们改进。").waitFor();
  await box.fill("卫星轨道");
  await box.press("Enter");
  await page.locator(".turn").nth(2 - 1).waitFor();
  assert.equal(await page.locator(".turn").count(), 2, "the conversation stays on the page");
  await check(page, "chat", "phone");
  await page.context().close();
}

async function answerTheResident(browser) {
  const page = await open(browser, "desktop");
  await logIn(page);
  await page.getByRole("link", { name: /找人问/ }).click();
  await page.locator("td.words a").first().click();
  await page.getByLabel("您的答复").fill("请带工资条到 3 号窗口。");
  await page.getByRole("button", { name: "发给居民" }).click();
  await page.getByText("答复已经保存，正在发给居民。").waitFor();
  await check(page, "handovers-answered", "desktop");
  await page.context().close();
}

async function withoutJavaScript(browser) {
  const page = await open(browser, "phone", false);
  await logIn(page);
  assert.ok((await page.locator("tbody tr").count()) > 0);
  for (const where of ["/handovers", "/settings", "/ask"]) {
    await page.goto(base + where);
    await page.locator("h1").waitFor();
  }
  await page.getByLabel("用平常话说说遇到了什么事").fill("老板拖欠工资怎么办？");
  await page.getByRole("button", { name: "提问" }).click();
  await page.getByText("怎么做").waitFor();
  await page.getByRole("button", { name: "👍 有用" }).click();
  await page.getByText("谢谢！您的评价会帮我们改进。").waitFor();
  await page.getByRole("button", { name: "退出" }).click();
  await page.getByText("已经退出。").waitFor();
  await page.context().close();
}

walk(async (browser) => {
  for (const width of Object.keys(WIDTHS)) await everyPage(browser, width);
  await filterByKeyboard(browser);
  await chat(browser);
  await answerTheResident(browser);
  await withoutJavaScript(browser);
});
