package ppocr.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AttemptsTest {
    private static final Options MINUTE = Options.DEFAULT.withTimeout(Duration.ofSeconds(60)).withRetries(3);

    @Test
    void waitsGrowFromWhatTheServiceAskedFor() {
        Attempts attempts = new Attempts(MINUTE);
        var busy = new PpocrException.Overloaded("busy", Duration.ofSeconds(2), null);
        Duration last = Duration.ofMillis(2000);
        for (int i = 0; i < 3; i++) {
            Duration pause = attempts.pause(busy);
            assertTrue(pause.compareTo(last) >= 0 && pause.compareTo(Duration.ofSeconds(3)) < 0, pause.toString());
            last = pause;
        }
        assertThrows(PpocrException.Overloaded.class, () -> attempts.pause(busy));
    }

    @Test
    void noWaitGoesPastTheTimeoutAndNoTryStartsAfterIt() {
        var away = new PpocrException.Unavailable("away", Duration.ofSeconds(90), null);
        assertThrows(PpocrException.Unavailable.class, () -> new Attempts(MINUTE).pause(away));
        var none = new Attempts(MINUTE.withTimeout(Duration.ZERO));
        assertEquals("no answer within 0 s", assertThrows(PpocrException.DeadlineExceeded.class, none::remaining).getMessage());
    }

    @Test
    void onlyWhatMaySucceedLaterIsTriedAgain() {
        int[] tries = {0};
        assertThrows(PpocrException.InvalidRequest.class, () -> Attempts.run(MINUTE, left -> {
            tries[0]++;
            throw new PpocrException.InvalidRequest("no", null);
        }));
        assertEquals(1, tries[0]);
        tries[0] = 0;
        assertEquals(3, Attempts.<Integer>run(MINUTE, left -> {
            if (++tries[0] < 3) {
                throw new PpocrException.Overloaded("busy", Duration.ZERO, null);
            }
            return tries[0];
        }));
    }
}
