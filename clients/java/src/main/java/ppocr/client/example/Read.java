package ppocr.client.example;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.stream.Collectors;
import ppocr.client.Line;
import ppocr.client.Options;
import ppocr.client.PipelineClient;
import ppocr.client.PpocrException;
import ppocr.client.V2Client;

/** Prints the lines of images: confidence, corners, text. {@code java -jar ppocr-client-VERSION-all.jar image.jpg} */
public final class Read {
    private static final String USAGE = """
        ppocr-read [OPTIONS] IMAGE...
          --grpc HOST:PORT           ask over V2 gRPC (127.0.0.1:8081)
          --pipeline-http URL        ask as PaddleServing's pipeline, at its path: http://127.0.0.1:8080/ocr/prediction
          --pipeline-grpc HOST:PORT  the same over gRPC
          --api-key KEY
          --certificate FILE         speak TLS, and trust this authority
          --timeout SECONDS          for one image, with all its tries (60)
          --retries N                (3)""";

    private Read() {}

    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Options options = Options.DEFAULT;
        String way = "--grpc";
        String address = "127.0.0.1:8081";
        Queue<String> left = new ArrayDeque<>(List.of(arguments));
        while (!left.isEmpty() && left.peek().startsWith("--")) {
            String name = left.remove();
            String value = left.isEmpty() ? usage() : left.remove();
            switch (name) {
                case "--grpc", "--pipeline-http", "--pipeline-grpc" -> {
                    way = name;
                    address = value;
                }
                case "--api-key" -> options = options.withApiKey(value);
                case "--certificate" -> options = options.withCertificate(Path.of(value));
                case "--timeout" -> options = options.withTimeout(Duration.ofMillis((long) (1000 * Double.parseDouble(value))));
                case "--retries" -> options = options.withRetries(Integer.parseInt(value));
                default -> usage();
            }
        }
        if (left.isEmpty()) {
            usage();
        }
        try {
            if (way.equals("--grpc")) {
                try (V2Client client = new V2Client(address, options)) {
                    left.forEach(image -> print(out, client.read(Path.of(image)).lines()));
                }
            } else {
                try (PipelineClient client = way.equals("--pipeline-http")
                        ? PipelineClient.overHttp(address, options)
                        : PipelineClient.overGrpc(address, options)) {
                    left.forEach(image -> print(out, client.read(Path.of(image))));
                }
            }
        } catch (PpocrException error) {
            System.err.println(error.getClass().getSimpleName() + ": " + error.getMessage());
            System.exit(1);
        }
    }

    private static void print(PrintStream out, List<Line> lines) {
        for (Line line : lines) {
            String points = line.points().stream().map(p -> p.x() + "," + p.y()).collect(Collectors.joining(" "));
            out.printf(Locale.ROOT, "%.4f [%s] %s%n", line.confidence(), points, line.text());
        }
    }

    private static String usage() {
        System.err.println(USAGE);
        System.exit(2);
        throw new AssertionError();
    }
}
