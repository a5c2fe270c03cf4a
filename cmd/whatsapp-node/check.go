package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
)

// checkCommand tries everything that is configured, before anybody depends on it.
func checkCommand(getenv settings.Getenv, stdout io.Writer) *cobra.Command {
	opt := bot.CheckOptions{Environ: os.Environ()}
	c := &cobra.Command{
		Use:   "check",
		Short: "Try everything that is configured and say what to do about what fails",
		Long: "Try everything that is configured: the settings, the store, Meta's Graph API, the webhook, and each\n" +
			"vendor by itself. No message is sent to anybody; vendors may charge for what they are asked.\n" +
			"Exit code 0: all of it works. 1: something does not. 78: the settings are wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return bot.Check(cmd.Context(), getenv, stdout, opt) },
	}
	c.Flags().BoolVar(&opt.JSON, "json", false, "one JSON document in place of the table")
	c.Flags().StringVar(&opt.URL, "url", "", "call the webhook at its public address as well, https://host/webhook")
	return c
}
