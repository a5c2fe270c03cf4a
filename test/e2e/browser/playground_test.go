package browser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must come. It is far above what
// anything takes; nothing is measured by it.
const patience = 90 * time.Second

// playground is a running cmd/playground.
type playground struct {
	url    string // of the page
	cmd    *exec.Cmd
	ended  chan struct{} // closed when it has ended and all it printed was read
	stdout *output
	stderr *output
}

// output keeps what a process prints.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed and replaced at every write
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.buf.Write(p)
}

func (o *output) read() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String(), o.changed
}

func (o *output) text() string { text, _ := o.read(); return text }

var pageLine = regexp.MustCompile(`Open (http://\S+)`)

// launch starts the playground in dir, where no .env is, and returns when it has
// printed the address of its page.
func launch(dir, path string) (*playground, error) {
	webhook, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &playground{cmd: exec.Command(program), ended: make(chan struct{}), stdout: newOutput(), stderr: newOutput()}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.stdout, p.stderr
	p.cmd.Env = []string{
		"PATH=" + path, "HOME=/nonexistent", "TMPDIR=" + dir,
		"PLAYGROUND_ADDR=127.0.0.1:0", "LISTEN_ADDR=" + webhook, "ADMIN_ADDR=off",
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the state tells more than the error
	}()
	limit := time.After(patience)
	for {
		text, changed := p.stdout.read()
		if m := pageLine.FindStringSubmatch(text); m != nil {
			p.url = m[1]
			return p, nil
		}
		select {
		case <-changed:
		case <-p.ended:
			return nil, fmt.Errorf("the playground has ended: %s%s", p.stdout.text(), p.stderr.text())
		case <-limit:
			return nil, errors.Join(errors.New("the playground printed no address: "+text), p.stop())
		}
	}
}

// freeAddress is an address for the webhook listener, outside of the range the
// system hands out by itself, so that nobody takes it meanwhile.
func freeAddress() (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 28000+rand.IntN(4000))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no port is free")
}

// stop ends the playground as Ctrl-C or a platform does, and says what was wrong
// with the way it went.
func (p *playground) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the playground had ended by itself: %w: %s", err, p.stderr.text())
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return errors.New("the playground does not end on SIGTERM")
	}
	var faults []error
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		faults = append(faults, fmt.Errorf("the playground ended with code %d", code))
	}
	if text := p.stderr.text(); text != "" {
		faults = append(faults, fmt.Errorf("the playground printed to stderr: %s", text))
	}
	if !strings.HasSuffix(p.stdout.text(), "Bye.\n") {
		faults = append(faults, errors.New("the playground did not say goodbye"))
	}
	if len(faults) > 0 {
		faults = append(faults, errors.New("its output ends with:\n"+p.tail()))
	}
	return errors.Join(faults...)
}

func (p *playground) tail() string {
	text := p.stdout.text()
	return text[max(0, len(text)-4000):]
}

// client leaves no connection open behind a request.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}

func (p *playground) get(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	require.NoError(t, err)
	return answer(t, req)
}

// person makes somebody who has a phone, and returns the simulator's id.
func (p *playground) person(t *testing.T, name string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"name": name})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/sim/users", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	var made struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal(answer(t, req), &made))
	require.NotEmpty(t, made.ID)
	return made.ID
}

// message is what the tests need to know of one.
type message struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Text  string `json:"text"`
	Media struct {
		ID    string `json:"id"`
		Voice bool   `json:"voice"`
		Size  int    `json:"size"`
	} `json:"media"`
}

// message looks one up in the simulator's own record.
func (p *playground) message(t *testing.T, user, id string) message {
	t.Helper()
	var state struct {
		Messages map[string][]message `json:"messages"`
	}
	require.NoError(t, json.Unmarshal(p.get(t, "/sim/state"), &state))
	for _, m := range state.Messages[user] {
		if m.ID == id {
			return m
		}
	}
	t.Fatal("the simulator does not know the message on the screen")
	return message{}
}

func answer(t *testing.T, req *http.Request) []byte {
	t.Helper()
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Less(t, resp.StatusCode, 300, "%s: %s", req.URL.Path, body)
	return body
}

// shared are the one browser and the one playground of the tests that do not
// disturb each other, started when first asked for.
var shared world

type world struct {
	dir     string
	once    sync.Once
	err     error
	browser *browser
	ground  *playground
}

func (w *world) start() error {
	w.once.Do(func() {
		if w.browser, w.err = startBrowser(w.dir); w.err != nil {
			return
		}
		w.ground, w.err = launch(w.dir, os.Getenv("PATH"))
	})
	return w.err
}

func (w *world) stop() error {
	var faults []error
	if w.browser != nil {
		faults = append(faults, w.browser.stop())
	}
	if w.ground != nil {
		faults = append(faults, w.ground.stop())
	}
	return errors.Join(faults...)
}

// theGround is the shared playground.
func theGround(t *testing.T) *playground {
	t.Helper()
	require.NoError(t, shared.start())
	return shared.ground
}
