package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is processor time up to a moment: that of both sides, and all that was used of
// their cores.
type usage struct {
	bot, bench          time.Duration
	botCore, benchCores time.Duration
}

// kernelTick is the unit of the kernel's accounts.
const kernelTick = 10 * time.Millisecond

func (p plan) usage(b *bot) (usage, error) {
	bot, err := b.cpu()
	u := usage{bot: bot}
	var own syscall.Rusage
	if err := errors.Join(err, syscall.Getrusage(syscall.RUSAGE_SELF, &own)); err != nil {
		return u, err
	}
	u.bench = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if p.place.core == "" {
		return u, nil // the sides share all cores, with everybody
	}
	if u.botCore, err = busy(p.place.core); err != nil {
		return u, err
	}
	u.benchCores, err = busy(p.place.others)
	return u, err
}

func (u usage) minus(v usage) usage {
	return usage{bot: u.bot - v.bot, bench: u.bench - v.bench, botCore: u.botCore - v.botCore, benchCores: u.benchCores - v.benchCores}
}

// strangers are the shares of the bot's and the bench's cores that somebody else used.
func (u usage) strangers(took time.Duration) [2]float64 {
	share := func(all, mine time.Duration) float64 { return max(0, (all-mine).Seconds()/took.Seconds()) }
	return [2]float64{share(u.botCore, u.bot), share(u.benchCores, u.bench)}
}

// busy is the time that some cores, comma-separated, spent on processes or lost to the
// machine's host (proc(5), /proc/stat). Interrupts are left out: they belong to nobody.
func busy(cores string) (time.Duration, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	list := strings.Split(cores, ",")
	sum, found := 0, 0
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 9 || !slices.Contains(list, strings.TrimPrefix(f[0], "cpu")) {
			continue
		}
		found++
		for _, i := range []int{1, 2, 3, 8} { // user, nice, system, stolen
			n, err := strconv.Atoi(f[i])
			if err != nil {
				return 0, fmt.Errorf("/proc/stat: %w", err)
			}
			sum += n
		}
	}
	if found != len(list) {
		return 0, fmt.Errorf("/proc/stat does not know the cores %s", cores)
	}
	return time.Duration(sum) * kernelTick, nil
}
