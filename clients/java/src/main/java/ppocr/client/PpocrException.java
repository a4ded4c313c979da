package ppocr.client;

import java.time.Duration;

/**
 * Why an image was not read. The message is the service's own sentence.
 *
 * <pre>
 * PpocrException              500 and others  something broke; the service's log says what
 * ├── RequestException        4xx             fix the request
 * │   ├── InvalidRequest      400             not an image, a wrong parameter
 * │   ├── Unauthorized        401             no API key, or one that isn't known
 * │   ├── NotFound            404             no such model or service
 * │   ├── TooLarge            413             more bytes or pixels than the limits
 * │   └── UnsupportedMedia    415
 * ├── RetryableException                      later, after retryAfter()
 * │   ├── Overloaded          429             the service is full
 * │   └── Unavailable         503             not ready, stopping, or out of reach
 * └── DeadlineExceeded        504             no answer in time
 * </pre>
 */
public class PpocrException extends RuntimeException {
    public PpocrException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The request must be fixed: the same one would fail again. */
    public static class RequestException extends PpocrException {
        public RequestException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public static final class InvalidRequest extends RequestException {
        public InvalidRequest(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public static final class Unauthorized extends RequestException {
        public Unauthorized(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public static final class NotFound extends RequestException {
        public NotFound(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public static final class TooLarge extends RequestException {
        public TooLarge(String message, Throwable cause) {
            super(message, cause);
        }
    }

    public static final class UnsupportedMedia extends RequestException {
        public UnsupportedMedia(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The same request may succeed after {@link #retryAfter()}. */
    public static class RetryableException extends PpocrException {
        private final Duration retryAfter;

        public RetryableException(String message, Duration retryAfter, Throwable cause) {
            super(message, cause);
            this.retryAfter = retryAfter;
        }

        public Duration retryAfter() {
            return retryAfter;
        }
    }

    public static final class Overloaded extends RetryableException {
        public Overloaded(String message, Duration retryAfter, Throwable cause) {
            super(message, retryAfter, cause);
        }
    }

    public static final class Unavailable extends RetryableException {
        public Unavailable(String message, Duration retryAfter, Throwable cause) {
            super(message, retryAfter, cause);
        }
    }

    public static final class DeadlineExceeded extends PpocrException {
        public DeadlineExceeded(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
