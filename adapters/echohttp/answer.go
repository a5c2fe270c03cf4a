package echohttp

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"whatsappnode/ports"
)

// The words of an answered webhook.
const (
	statusAccepted  = "accepted"
	statusDuplicate = "duplicate"
	statusIgnored   = "ignored"
)

// webhookAnswer is the body of a 200. One message is told at the top, several in
// a list; an envelope without messages is only "ignored".
type webhookAnswer struct {
	Status   string          `json:"status"`
	Message  string          `json:"message_id,omitempty"`
	Messages []messageAnswer `json:"messages,omitempty"`
}

type messageAnswer struct {
	Status  string `json:"status"`
	Message string `json:"message_id"`
}

// answerTo tells a receipt. With several messages the word on top is "accepted"
// if any of them is new.
func answerTo(r ports.Receipt) webhookAnswer {
	switch len(r.Messages) {
	case 0:
		return webhookAnswer{Status: statusIgnored}
	case 1:
		m := r.Messages[0]
		return webhookAnswer{Status: word(m.New), Message: string(m.Message)}
	}
	a := webhookAnswer{Status: statusDuplicate}
	for _, m := range r.Messages {
		if m.New {
			a.Status = statusAccepted
		}
		a.Messages = append(a.Messages, messageAnswer{Status: word(m.New), Message: string(m.Message)})
	}
	return a
}

func word(isNew bool) string {
	if isNew {
		return statusAccepted
	}
	return statusDuplicate
}

type statusAnswer struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks,omitempty"`
}

func status(word string) statusAnswer { return statusAnswer{Status: word} }

// answer writes v as JSON with its length, so that an early answer needs no
// chunking and the connection can be reused.
func answer(c echo.Context, code int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(len(b)))
	if c.Request().Method == http.MethodHead {
		c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		return c.NoContent(code)
	}
	return c.Blob(code, echo.MIMEApplicationJSON, b)
}
