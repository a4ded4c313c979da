// A client for Java without any library: java Client.java URL IMAGE. The picture goes to ocr_0.jpg.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Client {
    // Java has no JSON of its own; programs use Jackson or the like.
    private static final Pattern TEXTS = Pattern.compile("\"rec_texts\":\\[((?:\"(?:[^\"\\\\]|\\\\.)*\",?)*)\\]");
    private static final Pattern TEXT = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern PICTURE = Pattern.compile("\"ocrImage\":\"([A-Za-z0-9+/=]+)\"");

    public static void main(String[] arguments) throws Exception {
        String file = Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(arguments[1])));
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                .header("Content-Type", "application/json; charset=utf-8")
                .POST(HttpRequest.BodyPublishers.ofString("{\"file\":\"" + file + "\",\"fileType\":1}"))
                .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException("status " + response.statusCode());
        }
        Matcher texts = TEXTS.matcher(response.body());
        texts.find();
        Matcher text = TEXT.matcher(texts.group(1));
        while (text.find()) {
            System.out.println(text.group(1).replace("\\\"", "\"").replace("\\\\", "\\"));
        }
        Matcher picture = PICTURE.matcher(response.body());
        picture.find();
        Files.write(Path.of("ocr_0.jpg"), Base64.getDecoder().decode(picture.group(1)));
    }
}
