"""Asks as pipeline_rpc_client.py does, with the class of PaddleServing's wheel, and prints what came. Runs in its environment.

python pipeline_client.py IP:PORT IMAGE…: each image as a value and as a tensor
"""

import base64
import json
import sys

from paddle_serving_server.pipeline import PipelineClient

client = PipelineClient()
client.connect([sys.argv[1]])
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        image = base64.b64encode(file.read()).decode("utf8")
    for as_tensor in (False, True):
        answer = client.predict(feed_dict={"image": image}, fetch=["res"], pack_tensor_format=as_tensor)
        lines = eval(answer.value[0])
        print("ANSWER" + json.dumps([answer.err_no, list(answer.key), [line[0][0] for line in lines]]))
