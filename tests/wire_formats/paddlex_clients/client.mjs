// A client as PaddleX' documentation has it for Node.js, with fetch: node client.mjs URL IMAGE. The picture goes to ocr_0.jpg.
import { readFileSync, writeFileSync } from "node:fs";

const [url, image] = process.argv.slice(2);
const response = await fetch(url, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ file: readFileSync(image).toString("base64"), fileType: 1 }),
});
if (!response.ok) throw new Error(`status ${response.status}`);
const { result } = await response.json();
result.ocrResults.forEach(({ prunedResult, ocrImage }, number) => {
  console.log(prunedResult.rec_texts.join("\n"));
  writeFileSync(`ocr_${number}.jpg`, Buffer.from(ocrImage, "base64"));
});
