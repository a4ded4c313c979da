<?php
// A client as PaddleX' documentation has it for PHP, with its curl: php client.php URL IMAGE. The picture goes to ocr_0.jpg.
[, $url, $image] = $argv;
$payload = ["file" => base64_encode(file_get_contents($image)), "fileType" => 1];

$curl = curl_init($url);
curl_setopt($curl, CURLOPT_POST, true);
curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($payload));
curl_setopt($curl, CURLOPT_HTTPHEADER, ["Content-Type: application/json"]);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
$response = curl_exec($curl);
if (curl_getinfo($curl, CURLINFO_HTTP_CODE) !== 200) {
    throw new RuntimeException("not read: $response");
}

foreach (json_decode($response, true)["result"]["ocrResults"] as $number => $result) {
    echo implode("\n", $result["prunedResult"]["rec_texts"]), "\n";
    file_put_contents("ocr_$number.jpg", base64_decode($result["ocrImage"]));
}
