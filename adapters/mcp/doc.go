// Package mcp offers the tools of MCP servers (Model Context Protocol,
// modelcontextprotocol.io) to language models, with the protocol's own Go library.
//
// A server is a program that this one starts and speaks to over its standard input and
// output, or a service behind an address (streamable HTTP). Servers is a set of them:
// Run starts and connects them, starts again what died, asks now and then which tools
// there are, and ends every program it started. Only gives a ports.ToolPort with those
// tools that a list allows.
//
// What servers say is not trusted: names and descriptions are cut and cleaned, results
// are cut to a size, and a server can ask this program for nothing. It gets no file
// system roots, no answers of the model and no questions to the user. A program is
// started with the environment that is configured for it and nothing else.
package mcp
