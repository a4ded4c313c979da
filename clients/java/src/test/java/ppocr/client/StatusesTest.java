package ppocr.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StatusesTest {
    @Test
    void ofHttp() {
        Map.of(
            400, PpocrException.InvalidRequest.class,
            401, PpocrException.Unauthorized.class,
            404, PpocrException.NotFound.class,
            405, PpocrException.RequestException.class,
            413, PpocrException.TooLarge.class,
            415, PpocrException.UnsupportedMedia.class,
            429, PpocrException.Overloaded.class,
            500, PpocrException.class,
            503, PpocrException.Unavailable.class,
            504, PpocrException.DeadlineExceeded.class
        ).forEach((status, kind) -> assertEquals(kind, Statuses.ofHttp(status, "m", null).getClass(), "" + status));
        assertEquals("m (status 500)", Statuses.ofHttp(500, "m", null).getMessage());
    }

    @Test
    void ofGrpc() {
        Map.of(
            Status.INVALID_ARGUMENT, PpocrException.InvalidRequest.class,
            Status.UNAUTHENTICATED, PpocrException.Unauthorized.class,
            Status.NOT_FOUND, PpocrException.NotFound.class,
            Status.UNIMPLEMENTED, PpocrException.NotFound.class,
            Status.RESOURCE_EXHAUSTED, PpocrException.Overloaded.class,
            Status.RESOURCE_EXHAUSTED.withDescription("Received message larger than max (9 vs. 8)"), PpocrException.TooLarge.class,
            Status.UNAVAILABLE, PpocrException.Unavailable.class,
            Status.DEADLINE_EXCEEDED, PpocrException.DeadlineExceeded.class,
            Status.INTERNAL, PpocrException.class
        ).forEach((status, kind) -> assertEquals(kind, Statuses.ofGrpc(status.asRuntimeException()).getClass(), status.toString()));
        Metadata trailers = new Metadata();
        trailers.put(Statuses.RETRY_AFTER, "7");
        var away = (PpocrException.Unavailable) Statuses.ofGrpc(Status.UNAVAILABLE.withDescription("m").asRuntimeException(trailers));
        assertEquals(Duration.ofSeconds(7), away.retryAfter());
        assertEquals("m", away.getMessage());
    }

    @Test
    void retryAfter() {
        assertEquals(Duration.ofSeconds(2), Statuses.retryAfter("2"));
        assertEquals(Duration.ofMillis(250), Statuses.retryAfter("0.25"));
        assertEquals(Duration.ofSeconds(1), Statuses.retryAfter(null));
        for (String other : List.of("", "Wed, 21 Oct 2015 07:28:00 GMT", "-1", "NaN", "Infinity", "1e99", "3 s")) {
            assertEquals(Duration.ofSeconds(1), Statuses.retryAfter(other), other);
        }
    }
}
