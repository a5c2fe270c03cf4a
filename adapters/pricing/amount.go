package pricing

import "whatsappnode/domain"

// Amount is money, exact to the price of a token.
type Amount = domain.Money

// Dollar is one US dollar.
const Dollar = domain.Dollar
