import static java.nio.charset.StandardCharsets.UTF_8;

import io.nats.client.ConsumerContext;
import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.JetStreamApiException;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.api.PublishAck;
import io.nats.client.impl.Headers;
import io.nats.client.support.JsonParser;
import io.nats.client.support.JsonValue;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Punctual from Java, with jnats and nothing else: Client enqueue | later | schedule | work */
public class Client {
    static class MailServerDown extends Exception {}

    static class NoSuchAddress extends Exception {}

    static void tell(String json) {
        System.out.println(json);
    }

    static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    static void enqueue(JetStream js) throws IOException, JetStreamApiException {
        // region enqueue
        // Through the front door; options are headers.
        Headers options = new Headers()
            .put("Nats-Msg-Id", "welcome-ada")
            .put("Punctual-Max-Attempts", "3")
            .put("X-Tenant", "acme");
        js.publish("punctual.enqueue.emails", options, bytes("{\"to\": \"ada\"}"));
        js.publish("punctual.enqueue.emails", bytes("{\"to\": \"bob\"}"));

        // Straight to the queue, under an id of your own.
        js.publish("punctual.work.emails.invoice-7", bytes("{\"to\": \"cyd\"}"));
        // endregion

        PublishAck again = js.publish("punctual.enqueue.emails", options, bytes("{\"to\": \"ada\"}"));
        tell("{\"duplicate\": %s}".formatted(again.isDuplicate()));
        try {
            js.publish("punctual.work.emails.invoice-7", bytes("{\"to\": \"cyd\"}"));
        } catch (JetStreamApiException error) {
            tell("{\"refused\": \"%s\"}".formatted(error.getMessage()));
        }
    }

    static void later(JetStream js) throws IOException, JetStreamApiException {
        // region later
        Headers inTwoSeconds = new Headers().put("Punctual-Delay", "2s");
        js.publish("punctual.enqueue.emails", inTwoSeconds, bytes("{\"to\": \"ada\"}"));

        Instant at = Instant.now().plusSeconds(2);
        Headers then = new Headers().put("Punctual-At", at.toString());
        js.publish("punctual.enqueue.emails", then, bytes("{\"to\": \"bob\"}"));
        // endregion
        tell("{\"at\": \"%s\"}".formatted(at));
    }

    // region schedule
    static Message put(Connection nc, String id, String schedule) throws InterruptedException {
        String request = "{\"id\": \"%s\", \"schedule\": %s}".formatted(id, schedule);
        return nc.request("punctual.api.schedule.put", bytes(request), Duration.ofSeconds(5));
    }

    static Message schedule(Connection nc) throws InterruptedException {
        return put(nc, "hello", """
            {"every": "1s", "queue": "emails", "payload": {"to": "ada"}}""");
    }
    // endregion

    static void scheduleTwo(Connection nc) throws InterruptedException {
        Message reply = schedule(nc);
        Message wrong = put(nc, "wrong", "{\"cron\": \"61 * * * *\", \"queue\": \"emails\"}");
        for (Message answer : List.of(reply, wrong)) {
            String error = answer.hasHeaders() ? answer.getHeaders().getFirst("Nats-Service-Error-Code") : null;
            String quoted = error == null ? "null" : "\"" + error + "\"";
            tell("{\"answer\": %s, \"error\": %s}".formatted(new String(answer.getData(), UTF_8), quoted));
        }
    }

    static int number(JsonValue mail, String field) {
        JsonValue value = mail.map.get(field);
        return value == null ? 0 : value.i;
    }

    /** Pretends to send an email, and fails, takes long or hangs as the email asks for. */
    static void send(Message message) throws Exception {
        JsonValue mail = JsonParser.parse(message.getData());
        String to = mail.map.get("to").string;
        long attempt = message.metaData().deliveredCount();
        String runId = message.hasHeaders() ? message.getHeaders().getFirst("Punctual-Run-Id") : null;
        String quoted = runId == null ? "null" : "\"" + runId + "\"";
        tell("{\"to\": \"%s\", \"attempt\": %d, \"runId\": %s}".formatted(to, attempt, quoted));
        if (to.equals("nobody")) throw new NoSuchAddress();
        if (attempt <= number(mail, "fails")) throw new MailServerDown();
        if (attempt <= number(mail, "hangs")) Thread.sleep(Duration.ofHours(1).toMillis());
        for (int second = 0; second < number(mail, "seconds"); second++) {
            Thread.sleep(1_000);
            message.inProgress(); // the ack wait begins anew
        }
    }

    static void work(Connection nc) throws Exception {
        // region work
        ConsumerContext queue = nc.getStreamContext("PUNCTUAL_WORK").getConsumerContext("work-emails");
        while (true) {
            Message message = queue.next(Duration.ofSeconds(30));
            if (message == null) continue; // there is nothing to do
            try {
                send(message);
                message.ack();
            } catch (MailServerDown down) {
                message.nakWithDelay(Duration.ofSeconds(1)); // again in a second
            } catch (NoSuchAddress hopeless) {
                message.term(); // never again
            }
        }
        // endregion
    }

    public static void main(String[] args) throws Exception {
        String url = System.getenv().getOrDefault("NATS_URL", "nats://127.0.0.1:4222");
        try (Connection nc = Nats.connect(url)) {
            switch (args[0]) {
                case "enqueue" -> enqueue(nc.jetStream());
                case "later" -> later(nc.jetStream());
                case "schedule" -> scheduleTwo(nc);
                default -> work(nc);
            }
        }
    }
}
