// A client as PaddleX' documentation has it for Go: go run client.go URL IMAGE. The picture goes to ocr_0.jpg.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

type answer struct {
	Result struct {
		OcrResults []struct {
			PrunedResult struct {
				Texts []string `json:"rec_texts"`
			} `json:"prunedResult"`
			OcrImage *string `json:"ocrImage"`
		} `json:"ocrResults"`
	} `json:"result"`
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	file := base64.StdEncoding.EncodeToString(must(os.ReadFile(os.Args[2])))
	body := must(json.Marshal(map[string]any{"file": file, "fileType": 1}))
	response := must(http.Post(os.Args[1], "application/json", bytes.NewReader(body)))
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		log.Fatalf("status %d", response.StatusCode)
	}
	var read answer
	if err := json.NewDecoder(response.Body).Decode(&read); err != nil {
		log.Fatal(err)
	}
	for number, result := range read.Result.OcrResults {
		for _, text := range result.PrunedResult.Texts {
			fmt.Println(text)
		}
		picture := must(base64.StdEncoding.DecodeString(*result.OcrImage))
		if err := os.WriteFile(fmt.Sprintf("ocr_%d.jpg", number), picture, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
