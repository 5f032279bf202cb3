//go:build !race

package api

const campaignShare = 1
