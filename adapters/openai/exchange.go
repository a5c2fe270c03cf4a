package openai

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	goopenai "github.com/sashabaranov/go-openai"

	"whatsappnode/ports"
)

var _ goopenai.HTTPDoer = (*exchange)(nil)

// exchange carries one request of the library's to the server and keeps the answer,
// whose body and headers the library hides.
type exchange struct {
	*endpoint
	op string
	// greedy asks for temperature 0, which the library takes for "not set".
	greedy bool
	resp   *http.Response // nil unless the server answered with success
}

// Do implements the library's HTTPDoer. The library hands its errors on unchanged.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	if x.greedy {
		if err := zeroTemperature(req); err != nil {
			return nil, &ports.Error{Op: x.op, Kind: ports.KindInvalid, Err: err}
		}
	}
	resp, err := x.send(x.op, req)
	if err != nil {
		return nil, err
	}
	x.resp = resp
	return resp, nil
}

// zeroTemperature puts the field in front of the others of a JSON object. The
// smallest number the library would send instead makes some servers divide by
// almost nothing.
func zeroTemperature(req *http.Request) error {
	body, err := io.ReadAll(req.Body)
	if err != nil || len(body) < 3 || body[0] != '{' {
		return errors.New("the request's body is no JSON object")
	}
	body = append([]byte(`{"temperature":0,`), body[1:]...)
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, err = req.GetBody()
	return err
}
