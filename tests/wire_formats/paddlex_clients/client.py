"""A client as PaddleX' documentation has it for Python: python client.py URL IMAGE. The picture goes to ocr_0.jpg."""

import base64
import sys

import requests

API_URL, image = sys.argv[1:]
with open(image, "rb") as file:
    data = base64.b64encode(file.read()).decode("ascii")
response = requests.post(API_URL, json={"file": data, "fileType": 1}, timeout=60)
assert response.status_code == 200
for number, result in enumerate(response.json()["result"]["ocrResults"]):
    print("\n".join(result["prunedResult"]["rec_texts"]))
    with open(f"ocr_{number}.jpg", "wb") as picture:
        picture.write(base64.b64decode(result["ocrImage"]))
