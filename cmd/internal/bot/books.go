package bot

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"whatsappnode/app"
	"whatsappnode/ports"
)

// keepBooks has what is spent written to the store. The returned function writes what
// is left and ends the goroutine: it comes after the last turn and before the store is
// closed.
func keepBooks(ledger ports.LedgerPort, shop *workshop, log *zap.Logger) (*app.Books, func()) {
	books := app.NewBooks(ledger, shop.cfg.Budget.zone(), shop.tariff.fee, func(err error) {
		log.Warn("books", zap.Error(err))
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = books.Run(ctx) }) // it returns nil once ctx ends
	return books, func() { cancel(); wg.Wait() }
}
