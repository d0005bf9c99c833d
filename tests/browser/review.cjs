// Walks through reviewing and closing a gap in headless Chromium, as an officer who reviews.
//
//   NODE_PATH=… node review.cjs http://127.0.0.1:… folder-for-screenshots
"use strict";
const assert = require("node:assert/strict");

const { base, WIDTHS, open, check, walk } = require("./shared.cjs");
const REVIEWER = { name: "审核员", password: "long enough 2" };
const QUESTION = "卫星轨道上的东西掉下来怎么办？";
const ENTRY = {
  短答: "先别碰，离远一点，打110。",
  怎么做: "先离远\n打110\n拍照留证",
  依据: "《民法典》第一千二百四十五条：养的动物伤人，养的人负责。",
  时限: "没有专门期限，越早越好。",
  找谁: "报警：110",
  问法: "卫星轨道归谁管\n卫星掉我家地里\n天上掉东西砸房子\n火箭残骸砸坏瓦\n卫星残片能捡吗\n轨道上的东西掉下来找谁",
};

async function logIn(page, to) {
  await page.goto(base + to);
  await page.getByLabel("用户名").fill(REVIEWER.name);
  await page.getByLabel("密码").fill(REVIEWER.password);
  await page.getByRole("button", { name: "登录" }).click();
  await page.waitForURL(base + to);
}

async function everyPage(browser, width) {
  const page = await open(browser, width);
  await logIn(page, "/questions");
  await check(page, "review-list", width);
  await page.getByRole("link", { name: "开始复核" }).click();
  await page.getByRole("heading", { name: "复核" }).waitFor();
  await check(page, "review-walk", width);
  await page.goto(`${base}/gaps`);
  await check(page, "gaps", width);
  await page.goto(`${base}/gaps?period=year`);
  await page.getByRole("link", { name: "写成问答" }).first().click();
  await check(page, "entry-new", width);
  await page.getByRole("button", { name: "保存并启用" }).click();
  await page.getByText("处要改，改好才能保存").waitFor();
  await check(page, "entry-faults", width);
  await page.goto(`${base}/entries`);
  await check(page, "entries", width);
  await page.locator("td.words a").first().click();
  await page.getByRole("heading", { name: "居民会看到的" }).waitFor();
  await check(page, "entry-edit", width);
  await page.context().close();
}

// The keys tell what the buttons do; each press saves and turns to the next one.
async function reviewByKeys(browser) {
  const page = await open(browser, "desktop");
  // A page can be read before its script runs, which is what listens to keys; the script's own button tells.
  const at = async (n) => {
    await page.getByText(`第 ${n} 条，共 4 条`).waitFor();
    await page.getByRole("button", { name: /^(关掉|打开)按键$/ }).waitFor();
  };
  await logIn(page, "/questions");
  await page.getByLabel("原话里有").fill("卫星");
  await page.getByLabel("复核").selectOption({ label: "没复核" });
  await page.getByRole("button", { name: "筛选" }).click();
  await page.getByRole("link", { name: "开始复核" }).click();
  await at(1);
  const first = await page.locator("p.big").innerText();
  // In a field a key is a letter.
  await page.getByLabel("备注").fill("1");
  await page.getByLabel("备注").press("2");
  await at(1);
  await page.getByLabel("备注").press("Escape");
  await page.keyboard.press("2");
  await at(2);
  await page.getByText("上一条已存：答错。").waitFor();
  await page.keyboard.press("n");
  await at(3);
  await page.keyboard.press("p");
  await at(2);
  await page.keyboard.press("3");
  await at(3);
  // Switched off, keys do nothing; on again, they do.
  await page.getByRole("button", { name: "关掉按键" }).click();
  await page.keyboard.press("1");
  await page.getByRole("button", { name: "打开按键" }).click();
  await at(3);
  await page.keyboard.press("1");
  await at(4);
  await page.getByLabel("正确的主题").selectOption({ label: "狗咬人" });
  await page.locator("h1").click();
  await page.keyboard.press("4");
  await page.getByText("复核到头了，都存好了。").waitFor();
  await page.goto(`${base}/questions?reviewed=wrong`);
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByRole("link", { name: first }).click();
  await page.getByText("审核员，").waitFor();
  await page.getByText("12", { exact: true }).first().waitFor();
  await page.goto(`${base}/questions?topic=neighbor.dog`);
  assert.equal(await page.locator("tbody tr").count(), 1, "the list follows the correction");
  await page.context().close();
}

async function gapToAnswer(browser, width, javaScript) {
  const page = await open(browser, width, javaScript);
  const way = javaScript ? "" : "（又一次）";
  await logIn(page, "/gaps");
  await page.getByRole("link", { name: "写成问答" }).first().click();
  await page.getByLabel("问题", { exact: true }).fill(QUESTION.replace("？", `${way}？`));
  await page.getByLabel("主题").selectOption({ label: "狗咬人" });
  await page.getByLabel("最主要的场所").selectOption({ label: "乡村" });
  for (const [label, text] of Object.entries(ENTRY)) {
    const lines = text.split("\n").map((line) => (label === "问法" ? line + way : line));
    await page.getByLabel(label, { exact: true }).fill(lines.join("\n"));
  }
  const basis = page.getByLabel("依据", { exact: true });
  await basis.fill("民法典1245条");
  await page.getByRole("button", { name: "检查并预览" }).click();
  await page.getByText("不是法条引用").first().waitFor();
  await basis.fill(ENTRY["依据"]);
  await page.getByRole("button", { name: "检查并预览" }).click();
  await page.getByText("检查过了，没有错，还没有保存。").waitFor();
  if (javaScript) await check(page, "entry-checked", width);
  await page.getByRole("button", { name: "保存并启用" }).click();
  await page.getByText("已保存。现在居民问到，就会这样答。").waitFor();
  // As a resident in another browser.
  const resident = await open(browser, width, javaScript);
  await resident.goto(`${base}/ask`);
  await resident.getByLabel("用平常话说说遇到了什么事").fill(`卫星残片能捡吗${way}`);
  await resident.getByRole("button", { name: "提问" }).click();
  await resident.getByText("先别碰，离远一点，打110。").first().waitFor();
  await resident.context().close();
  await page.goto(`${base}/gaps`);
  await page.getByRole("heading", { name: "补上以后" }).waitFor();
  if (javaScript) await check(page, "gaps-closed", width);
  await page.context().close();
}

async function changeWithHistory(browser) {
  const page = await open(browser, "phone");
  await logIn(page, "/entries");
  await page.getByLabel("问题或问法里有").fill("流浪");
  await page.getByRole("button", { name: "查找" }).click();
  await page.locator("td.words a").click();
  await page.getByLabel("短答", { exact: true }).fill("找原来养它的人赔。");
  await page.getByRole("button", { name: "保存并启用" }).click();
  await page.getByText("已保存。现在居民问到，就会这样答。").waitFor();
  await page.getByRole("heading", { name: "以前的样子" }).waitFor();
  await page.locator("details summary").filter({ hasText: "用到" }).click();
  await page.getByText("丢了、跑了的狗咬人").waitFor();
  await check(page, "entry-history", "phone");
  await page.context().close();
}

walk(async (browser) => {
  for (const width of Object.keys(WIDTHS)) await everyPage(browser, width);
  await reviewByKeys(browser);
  await gapToAnswer(browser, "desktop", true);
  await gapToAnswer(browser, "phone", false);
  await changeWithHistory(browser);
});
