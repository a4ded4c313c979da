package ppocr.client;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import com.google.gson.annotations.SerializedName;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The pipeline over HTTP. */
final class PipelineHttp implements PipelineClient {
    private static final Gson GSON = new Gson();

    private final URI url;
    private final Options options;
    private final HttpClient http;

    PipelineHttp(String url, Options options) {
        this.url = URI.create(url);
        this.options = options;
        // HTTP/1.1: without TLS, HTTP/2 would begin with a request to upgrade.
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        if (options.certificate() != null) {
            builder.sslContext(trusting(options.certificate()));
        }
        http = builder.build();
    }

    private record Answer(
        @SerializedName("err_no") int errNo, @SerializedName("err_msg") String errMsg, List<String> key, List<String> value) {}

    private record Refusal(String error) {}

    @Override
    public PipelineAnswer ask(String image) {
        String body = GSON.toJson(Map.of("key", List.of("image"), "value", List.of(image)));
        return Attempts.run(options, left -> once(body, left));
    }

    private PipelineAnswer once(String body, Duration left) {
        HttpRequest.Builder request = HttpRequest.newBuilder(url)
            .timeout(left)
            // The gateway's own header: at most 8 digits and a unit.
            .header("Grpc-Timeout", Math.min(99_999_999, Math.max(1, left.toMillis())) + "m")
            .POST(HttpRequest.BodyPublishers.ofString(body));
        options.headers().forEach(request::setHeader);
        try {
            return read(http.send(request.build(), HttpResponse.BodyHandlers.ofString()));
        } catch (ConnectException error) {
            // It was never sent, so it may be sent again.
            throw new PpocrException.Unavailable(url + " can't be reached", Duration.ZERO, error);
        } catch (HttpTimeoutException error) {
            throw new PpocrException.DeadlineExceeded("no answer within " + Attempts.seconds(options.timeout()) + " s", error);
        } catch (IOException error) {
            // Not sent again: the image may be in the works.
            throw new PpocrException("the connection to " + url + " broke before the answer was here", error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new PpocrException("interrupted", error);
        }
    }

    private static PipelineAnswer read(HttpResponse<String> response) {
        try {
            if (response.statusCode() == 200) {
                Answer answer = GSON.fromJson(response.body(), Answer.class);
                if (answer != null && answer.key != null && answer.value != null) {
                    return PipelineAnswer.of(answer.errNo, answer.errMsg, answer.key, answer.value);
                }
            } else {
                Refusal refusal = GSON.fromJson(response.body(), Refusal.class);
                if (refusal != null && refusal.error != null) {
                    throw refused(response, refusal.error);
                }
            }
        } catch (JsonParseException error) {
            // A proxy's page, or text, as the gateway's 404 is.
        }
        throw refused(response, "the answer is not the pipeline's: is this the address of ppocr-serving?");
    }

    private static PpocrException refused(HttpResponse<String> response, String message) {
        return Statuses.ofHttp(response.statusCode(), message, response.headers().firstValue("retry-after").orElse(null));
    }

    private static SSLContext trusting(Path certificates) {
        try (InputStream file = Files.newInputStream(certificates)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                store.setCertificateEntry("ca-" + store.size(), each);
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException error) {
            throw new PpocrException(certificates + " is not a PEM file of certificates", error);
        }
    }

    @Override
    public void close() {
        // Java's client closes its connections when nobody refers to it any more.
    }
}
