package ppocr.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/** One request's time and tries. The timeout covers all tries and the waits between them. */
final class Attempts {
    private final Duration timeout;
    private final int retries;
    private final long until;
    private int made;

    Attempts(Options options) {
        timeout = options.timeout();
        retries = options.retries();
        until = System.nanoTime() + timeout.toNanos();
    }

    /** Calls {@code once} with the time that is left, until it returns or may not be called again. */
    static <T> T run(Options options, Function<Duration, T> once) {
        Attempts attempts = new Attempts(options);
        while (true) {
            try {
                return once.apply(attempts.remaining());
            } catch (PpocrException.RetryableException error) {
                try {
                    Thread.sleep(attempts.pause(error).toMillis());
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw error;
                }
            }
        }
    }

    /** What is left for the next try. */
    Duration remaining() {
        long left = until - System.nanoTime();
        if (left <= 0) {
            throw new PpocrException.DeadlineExceeded("no answer within " + seconds(timeout) + " s", null);
        }
        return Duration.ofNanos(left);
    }

    /**
     * The wait before the next try: at least what the service asked for, then growing and scattered, so that clients turned
     * away together don't come back together. Throws {@code error} where another try is not allowed or would come too late.
     */
    Duration pause(PpocrException.RetryableException error) {
        if (made >= retries) {
            throw error;
        }
        double scattered = ThreadLocalRandom.current().nextDouble(0.1, 0.2) * Math.pow(2, made);
        Duration pause = error.retryAfter().plusMillis((long) (scattered * 1000));
        made++;
        if (System.nanoTime() + pause.toNanos() - until >= 0) {
            throw error;
        }
        return pause;
    }

    static String seconds(Duration time) {
        return String.valueOf(time.toMillis() / 1000.0).replaceFirst("\\.0$", "");
    }
}
