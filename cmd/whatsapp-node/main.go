// Command whatsapp-node is the production bot. Without a sub-command it does what
// ROLE says, by default everything.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	getenv, err := bot.Environment(".env")
	if err == nil {
		err = run(ctx, os.Args[1:], getenv, os.Stdout)
	}
	os.Exit(exitCode(err, os.Stderr))
}

// Exit codes; sysexits.h calls 78 a configuration error.
const (
	exitOK       = 0
	exitFailed   = 1
	exitSettings = 78
)

func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, bot.ErrSettings):
		fmt.Fprintln(stderr, err)
		return exitSettings
	}
	fmt.Fprintln(stderr, "whatsapp-node:", err)
	return exitFailed
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, getenv settings.Getenv, stdout io.Writer) error {
	serveAs := func(role string) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, _ []string) error {
			return bot.Run(cmd.Context(), getenv, role, stdout, bot.Options{Environ: os.Environ()})
		}
	}
	root := &cobra.Command{
		Use:           "whatsapp-node",
		Short:         "A WhatsApp bot that hears, thinks and answers with a voice note",
		Long:          "A WhatsApp bot that hears, thinks and answers with a voice note.\nAll settings are environment variables; deployments/env.example lists them.",
		Args:          cobra.NoArgs,
		RunE:          serveAs(""),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		&cobra.Command{Use: "all", Short: "Take webhooks and answer them, in one process (the default)", Args: cobra.NoArgs, RunE: serveAs("all")},
		&cobra.Command{Use: "serve", Short: "Take webhooks only", Args: cobra.NoArgs, RunE: serveAs("serve")},
		&cobra.Command{Use: "worker", Short: "Answer only", Args: cobra.NoArgs, RunE: serveAs("worker")},
		&cobra.Command{
			Use: "healthcheck", Short: "Ask the running bot whether it lives; exit code 0 means yes", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return bot.Healthcheck(cmd.Context(), getenv) },
		},
		&cobra.Command{
			Use: "version", Short: "Print the version", Args: cobra.NoArgs,
			Run: func(*cobra.Command, []string) { fmt.Fprintln(stdout, bot.Version) },
		},
	)
	root.AddCommand(checkCommand(getenv, stdout), costsCommand(getenv, stdout))
	root.AddCommand(operatorCommands(getenv, stdout)...)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetContext(ctx)
	return root.ExecuteContext(ctx)
}
