package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what /metrics tells. Labels hold routes and kinds, never ids.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.HistogramVec
	deliveries *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "quittance_http_request_seconds", Help: "Time to answer API requests.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"route", "method", "status"}),
		deliveries: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "quittance_delivery_seconds", Help: "Time that tries of webhooks and mails took.",
			Buckets: []float64{.005, .025, .1, .5, 1, 5, 15},
		}, []string{"kind", "ok"}),
	}
	m.registry.MustRegister(m.requests, m.deliveries, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) delivery(kind string, ok bool, took time.Duration) {
	m.deliveries.WithLabelValues(kind, strconv.FormatBool(ok)).Observe(took.Seconds())
}

func (m *metrics) handler(p *program) http.Handler {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "quittance_ready", Help: "1 when invoices can be taken."}, func() float64 {
			if p.readiness(context.Background()) != nil {
				return 0
			}
			return 1
		}),
	)
	for _, f := range p.chains {
		of := prometheus.Labels{"chain": f.Code}
		m.registry.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "quittance_chain_height", Help: "Height the chain was followed to.", ConstLabels: of},
				func() float64 { return float64(f.status().Cursor.Height) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "quittance_chain_fault", Help: "1 while the chain cannot be read.", ConstLabels: of},
				func() float64 {
					if f.status().Err != nil {
						return 1
					}
					return 0
				}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "quittance_addresses_watched", Help: "Addresses that payments are looked for.", ConstLabels: of},
				func() float64 { return float64(f.status().Watched) }),
		)
	}
	m.registry.MustRegister(p.lightMetrics()...)
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true})
}
