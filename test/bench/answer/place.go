package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// place is where the two sides run.
type place struct {
	core   string // of the bot; empty: it is not pinned
	others string // of the bench
	why    string // why it is not pinned
}

func (p place) String() string {
	if p.core == "" {
		return "the bot has GOMAXPROCS=1 and is not pinned to a core: " + p.why
	}
	return fmt.Sprintf("the bot is pinned to core %s (taskset, GOMAXPROCS=1), the bench and its fake vendors to %s", p.core, p.others)
}

// pinned marks the program after it has given a core away.
const pinned = "BENCH_ANSWER_CORE"

// settle replaces the program by itself on all cores but the first, which it gives to
// the bot. Where that cannot be, it says why and goes on.
func settle() (place, error) {
	if core, others, ok := strings.Cut(os.Getenv(pinned), ";"); ok {
		return place{core: core, others: others}, nil
	}
	cores, err := allowedCores()
	if err != nil {
		return place{why: err.Error()}, nil
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return place{why: "taskset is not installed"}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return place{}, err
	}
	others := strings.Join(cores[1:], ",")
	args := append([]string{"taskset", "-c", others, self}, os.Args[1:]...)
	return place{}, syscall.Exec(taskset, args, append(os.Environ(), pinned+"="+cores[0]+";"+others))
}

// allowedCores reads the kernel's list, such as "0-2,5".
func allowedCores() ([]string, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, errors.New("which cores there are is only known on Linux")
	}
	_, list, _ := strings.Cut(string(status), "Cpus_allowed_list:")
	list, _, _ = strings.Cut(list, "\n")
	var out []string
	for span := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		first, last, _ := strings.Cut(span, "-")
		if last == "" {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("the list of cores: %w", err)
		}
		for c := from; c <= to; c++ {
			out = append(out, strconv.Itoa(c))
		}
	}
	if len(out) < 2 {
		return nil, errors.New("there is only one core")
	}
	return out, nil
}

// realDisk makes a folder for the stores that is not in memory: the durable write is
// part of what is measured.
func realDisk() (string, error) {
	for _, base := range []string{os.TempDir(), "/var/tmp", "."} {
		if inMemory(base) {
			continue
		}
		dir, err := os.MkdirTemp(base, "bench-answer-")
		if err != nil {
			continue
		}
		return filepath.Abs(dir)
	}
	return "", errors.New("there is no folder on a disk to keep the store in")
}
