// Punctual from Go, with nats.go and nothing else: client enqueue | later | schedule | work
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var (
	errMailServerDown = errors.New("the mail server is down")
	errNoSuchAddress  = errors.New("no such address")
)

type facts map[string]any

func tell(facts facts) {
	if err := json.NewEncoder(os.Stdout).Encode(facts); err != nil {
		log.Fatal(err)
	}
}

func enqueue(ctx context.Context, js jetstream.JetStream) error {
	// region enqueue
	// Through the front door; options are headers.
	welcome := nats.NewMsg("punctual.enqueue.emails")
	welcome.Data = []byte(`{"to": "ada"}`)
	welcome.Header.Set("Nats-Msg-Id", "welcome-ada")
	welcome.Header.Set("Punctual-Max-Attempts", "3")
	welcome.Header.Set("X-Tenant", "acme")
	if _, err := js.PublishMsg(ctx, welcome); err != nil {
		return err
	}
	if _, err := js.Publish(ctx, "punctual.enqueue.emails", []byte(`{"to": "bob"}`)); err != nil {
		return err
	}

	// Straight to the queue, under an id of your own.
	if _, err := js.Publish(ctx, "punctual.work.emails.invoice-7", []byte(`{"to": "cyd"}`)); err != nil {
		return err
	}
	// endregion

	again, err := js.PublishMsg(ctx, welcome)
	if err != nil {
		return err
	}
	tell(facts{"duplicate": again.Duplicate})
	_, err = js.Publish(ctx, "punctual.work.emails.invoice-7", []byte(`{"to": "cyd"}`))
	if err != nil {
		tell(facts{"refused": err.Error()})
	}
	return nil
}

func later(ctx context.Context, js jetstream.JetStream) error {
	// region later
	inTwoSeconds := nats.NewMsg("punctual.enqueue.emails")
	inTwoSeconds.Data = []byte(`{"to": "ada"}`)
	inTwoSeconds.Header.Set("Punctual-Delay", "2s")
	if _, err := js.PublishMsg(ctx, inTwoSeconds); err != nil {
		return err
	}

	at := time.Now().Add(2 * time.Second).Format(time.RFC3339Nano)
	then := nats.NewMsg("punctual.enqueue.emails")
	then.Data = []byte(`{"to": "bob"}`)
	then.Header.Set("Punctual-At", at)
	if _, err := js.PublishMsg(ctx, then); err != nil {
		return err
	}
	// endregion
	tell(facts{"at": at})
	return nil
}

func schedule(nc *nats.Conn) error {
	// region schedule
	put := func(id string, schedule map[string]any) (*nats.Msg, error) {
		request, err := json.Marshal(map[string]any{"id": id, "schedule": schedule})
		if err != nil {
			return nil, err
		}
		return nc.Request("punctual.api.schedule.put", request, 5*time.Second)
	}

	reply, err := put("hello", map[string]any{
		"every": "1s", "queue": "emails", "payload": map[string]any{"to": "ada"},
	})
	// endregion
	if err != nil {
		return err
	}

	wrong, err := put("wrong", map[string]any{"cron": "61 * * * *", "queue": "emails"})
	if err != nil {
		return err
	}
	for _, answer := range []*nats.Msg{reply, wrong} {
		told := facts{"answer": json.RawMessage(answer.Data), "error": nil}
		if code := answer.Header.Get("Nats-Service-Error-Code"); code != "" {
			told["error"] = code
		}
		tell(told)
	}
	return nil
}

// send pretends to send an email, and fails, takes long or hangs as the email asks for.
func send(message jetstream.Msg) error {
	var mail struct {
		To                    string
		Fails, Hangs, Seconds uint64
	}
	if err := json.Unmarshal(message.Data(), &mail); err != nil {
		return err
	}
	metadata, err := message.Metadata()
	if err != nil {
		return err
	}
	attempt := metadata.NumDelivered
	told := facts{"to": mail.To, "attempt": attempt, "runId": nil}
	if runID := message.Headers().Get("Punctual-Run-Id"); runID != "" {
		told["runId"] = runID
	}
	tell(told)
	if mail.To == "nobody" {
		return errNoSuchAddress
	}
	if attempt <= mail.Fails {
		return errMailServerDown
	}
	if attempt <= mail.Hangs {
		time.Sleep(time.Hour)
	}
	for range mail.Seconds {
		time.Sleep(time.Second)
		if err := message.InProgress(); err != nil { // the ack wait begins anew
			return err
		}
	}
	return nil
}

func work(ctx context.Context, js jetstream.JetStream) error {
	// region work
	queue, err := js.Consumer(ctx, "PUNCTUAL_WORK", "work-emails")
	if err != nil {
		return err
	}
	messages, err := queue.Messages(jetstream.PullMaxMessages(1))
	if err != nil {
		return err
	}
	for {
		message, err := messages.Next()
		if err != nil {
			return err
		}
		switch err := send(message); {
		case err == nil:
			message.Ack()
		case errors.Is(err, errNoSuchAddress):
			message.Term() // never again
		default:
			message.NakWithDelay(time.Second) // again in a second
		}
	}
	// endregion
}

func run(command string) error {
	url := os.Getenv("NATS_URL")
	if url == "" {
		url = nats.DefaultURL
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx := context.Background()
	switch command {
	case "enqueue":
		return enqueue(ctx, js)
	case "later":
		return later(ctx, js)
	case "schedule":
		return schedule(nc)
	default:
		return work(ctx, js)
	}
}

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
