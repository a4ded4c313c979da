package ppocr.client;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;

/** From a status of gRPC or HTTP to the exception that it stands for. */
final class Statuses {
    static final Metadata.Key<String> RETRY_AFTER = Metadata.Key.of("retry-after", Metadata.ASCII_STRING_MARSHALLER);

    private Statuses() {}

    static PpocrException ofGrpc(StatusRuntimeException error) {
        Status status = error.getStatus();
        Metadata trailers = error.getTrailers();
        Duration retryAfter = retryAfter(trailers == null ? null : trailers.get(RETRY_AFTER));
        // Below the first line gRPC lists its own handlers.
        String message = Optional.ofNullable(status.getDescription()).orElse("the service gave no reason").split("\n", 2)[0];
        if (status.getCause() != null) {
            message += ": " + status.getCause().getMessage(); // of the connection, where that is what failed
        }
        return switch (status.getCode()) {
            case INVALID_ARGUMENT -> new PpocrException.InvalidRequest(message, error);
            case UNAUTHENTICATED -> new PpocrException.Unauthorized(message, error);
            case NOT_FOUND, UNIMPLEMENTED -> new PpocrException.NotFound(message, error);
            // gRPC itself refuses a message over a size limit with the code of a full queue. It is too large every time.
            case RESOURCE_EXHAUSTED -> message.contains("larger than max")
                ? new PpocrException.TooLarge(message, error)
                : new PpocrException.Overloaded(message, retryAfter, error);
            // CANCELLED and UNKNOWN are gRPC's own, for a server that went away under a call.
            case UNAVAILABLE, CANCELLED, UNKNOWN -> new PpocrException.Unavailable(message, retryAfter, error);
            case DEADLINE_EXCEEDED -> new PpocrException.DeadlineExceeded(message, error);
            default -> new PpocrException(message + " (code " + status.getCode() + ")", error);
        };
    }

    static PpocrException ofHttp(int status, String message, String retryAfter) {
        return switch (status) {
            case 400 -> new PpocrException.InvalidRequest(message, null);
            case 401 -> new PpocrException.Unauthorized(message, null);
            case 404 -> new PpocrException.NotFound(message, null);
            case 413 -> new PpocrException.TooLarge(message, null);
            case 415 -> new PpocrException.UnsupportedMedia(message, null);
            case 429 -> new PpocrException.Overloaded(message, retryAfter(retryAfter), null);
            case 503 -> new PpocrException.Unavailable(message, retryAfter(retryAfter), null);
            case 504 -> new PpocrException.DeadlineExceeded(message, null);
            default -> status >= 400 && status < 500
                ? new PpocrException.RequestException(message + " (status " + status + ")", null)
                : new PpocrException(message + " (status " + status + ")", null);
        };
    }

    /** Of a Retry-After in seconds. One second without it, and for a date, which proxies may send. */
    static Duration retryAfter(String value) {
        try {
            double seconds = Double.parseDouble(value);
            // Also false where it is NaN; a day is more than any caller waits.
            return seconds >= 0 && seconds <= 86_400 ? Duration.ofMillis((long) (seconds * 1000)) : Duration.ofSeconds(1);
        } catch (NullPointerException | NumberFormatException error) {
            return Duration.ofSeconds(1);
        }
    }
}
