package ppocr.client;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How to ask. {@code Options.DEFAULT.withTimeout(Duration.ofSeconds(20)).withApiKey(key)}
 *
 * @param timeout for one request, over all its tries; the request carries it, and the service computes nothing that comes too late
 * @param retries how often a request is sent again that the service turned away
 * @param headers sent with every request: for a gateway's tokens or routing
 * @param tls whether to speak TLS; over HTTP the URL says it
 * @param certificate PEM file of the authorities to trust, or null for the system's
 */
public record Options(Duration timeout, int retries, Map<String, String> headers, boolean tls, Path certificate) {
    public static final Options DEFAULT = new Options(Duration.ofSeconds(60), 3, Map.of(), false, null);

    public Options {
        headers = Map.copyOf(headers);
    }

    public Options withTimeout(Duration timeout) {
        return new Options(timeout, retries, headers, tls, certificate);
    }

    public Options withRetries(int retries) {
        return new Options(timeout, retries, headers, tls, certificate);
    }

    public Options withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name.toLowerCase(), value);
        return new Options(timeout, retries, more, tls, certificate);
    }

    /** The service's {@code --api_key_file} lists the keys that it takes. */
    public Options withApiKey(String key) {
        return withHeader("authorization", "Bearer " + key);
    }

    public Options withTls() {
        return new Options(timeout, retries, headers, true, certificate);
    }

    /** TLS, with the authorities of a PEM file in place of the system's. */
    public Options withCertificate(Path certificate) {
        return new Options(timeout, retries, headers, true, certificate);
    }
}
