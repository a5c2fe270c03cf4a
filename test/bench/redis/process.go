package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"whatsappnode/test/chaos/rig"
)

// coresOf reads a kernel list such as "0-2,5".
func coresOf(list string) ([]string, error) {
	var out []string
	for span := range strings.SplitSeq(list, ",") {
		first, last, _ := strings.Cut(span, "-")
		if last == "" {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("the list of cores %q: %w", list, err)
		}
		for c := from; c <= to; c++ {
			out = append(out, strconv.Itoa(c))
		}
	}
	return out, nil
}

// restartOn replaces the program by itself on these cores; it returns only when that
// fails.
func restartOn(cores []string, env ...string) error {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{"taskset", "-c", strings.Join(cores, ","), self}, os.Args[1:]...)
	return syscall.Exec(taskset, args, append(os.Environ(), env...))
}

// process is a server under measurement, on a core of its own.
type process struct {
	name string
	addr string
	cmd  *exec.Cmd
}

// start runs a command pinned to the core, with its log in a file, and waits until
// /live answers.
func (p plan) start(ctx context.Context, name, addr string, env []string, command ...string) (*process, error) {
	log, err := os.CreateTemp(p.dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own copy
	return launch(ctx, name, addr, log, env, append([]string{"-c", p.core}, command...))
}

func launch(ctx context.Context, name, addr string, log *os.File, env, args []string) (*process, error) {
	p := &process{name: name, addr: addr, cmd: exec.CommandContext(ctx, "taskset", args...)}
	p.cmd.Env = append(env, "GOMAXPROCS=1", "PATH="+os.Getenv("PATH"))
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = log, os.Stderr, dieWithParent()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for range 1000 {
		resp, err := client.Get("http://" + addr + "/live")
		if err == nil {
			resp.Body.Close()
			return p, nil
		}
		if rig.Sleep(ctx, 10*time.Millisecond) != nil {
			break
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s did not come up", name)
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu is the processor time used so far, by the kernel's clock of 100 Hz.
func (p *process) cpu() (time.Duration, error) { return cpuOf(p.cmd.Process.Pid) }

func cpuOf(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name in brackets may hold anything; the fields behind it are fixed (proc(5)).
	_, rest, _ := strings.Cut(string(data), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startServe runs the binary in role serve. Admin is its admin address, or "off".
func (p plan) startServe(ctx context.Context, redisURL, aof, admin string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	ack := "memory"
	if aof == "always" {
		ack = "fsync"
	}
	return p.start(ctx, "bot", addr, []string{
		"LISTEN_ADDR=" + addr, "ADMIN_ADDR=" + admin, "REDIS_URL=" + redisURL, "REDIS_ACK=" + ack,
		"WHATSAPP_ACCESS_TOKEN=" + rig.AccessToken, "WHATSAPP_APP_SECRET=" + rig.AppSecret,
		"WHATSAPP_VERIFY_TOKEN=" + rig.VerifyToken, "WHATSAPP_PHONE_NUMBER_ID=" + rig.NumberID,
		"GRAPH_BASE_URL=http://127.0.0.1:1", "MEDIA_HOSTS=127.0.0.1",
		"LLM_PROVIDER=fake", "STT_PROVIDER=fake", "TTS_PROVIDER=fake", "RATE_LIMIT_MESSAGES=0", "LOOP_TURNS=0", "LOG_LEVEL=" + p.logLevel,
	}, p.binary, "serve")
}

func (p plan) startBare(ctx context.Context, redisAddr string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return p.start(ctx, "bare", addr, nil, self, "-bare", redisAddr, addr)
}
