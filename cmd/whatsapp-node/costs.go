package main

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"whatsappnode/adapters/settings"
	"whatsappnode/cmd/internal/bot"
	"whatsappnode/cmd/internal/operate"
)

// costsCommand prints what was spent.
func costsCommand(getenv settings.Getenv, stdout io.Writer) *cobra.Command {
	var opt operate.Options
	days := operate.DefaultCostDays
	c := &cobra.Command{
		Use: "costs", Short: "Print what was spent, by day, number, stage and vendor", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			books, zone, err := bot.OpenBooks(cmd.Context(), getenv)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, books.Close()) }()
			return operate.Costs(cmd.Context(), books, stdout, time.Now().In(zone), days, opt)
		},
	}
	c.Flags().IntVar(&days, "days", days, "how many days, today included")
	c.Flags().BoolVar(&opt.JSON, "json", false, "one JSON document in place of the table")
	return c
}
