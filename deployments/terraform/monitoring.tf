resource "google_monitoring_notification_channel" "email" {
  count        = var.alert_email == "" ? 0 : 1
  display_name = "${local.name} on call"
  type         = "email"
  labels = {
    email_address = var.alert_email
  }
  depends_on = [google_project_service.needed]
}

locals {
  host     = trimprefix(google_cloud_run_v2_service.bot.uri, "https://")
  channels = google_monitoring_notification_channel.email[*].id
}

# /ready asks the store for a durable write and knows whether Meta takes the access token.
resource "google_monitoring_uptime_check_config" "ready" {
  display_name = "${local.name} is ready"
  period       = "60s"
  timeout      = "10s"

  http_check {
    path         = "/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true
    accepted_response_status_codes {
      status_value = 200
    }
  }
  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = local.host
    }
  }
}

resource "google_monitoring_alert_policy" "not_ready" {
  display_name          = "${local.name}: not ready"
  combiner              = "OR"
  notification_channels = local.channels
  conditions {
    display_name = "/ready fails from several places"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.label.check_id=\"${google_monitoring_uptime_check_config.ready.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "120s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }
  documentation {
    content   = "The store cannot be written, or Meta refuses the access token. docs/runbook.md, \"/ready is red\"."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "refused" {
  display_name          = "${local.name}: webhooks fail"
  combiner              = "OR"
  notification_channels = local.channels
  conditions {
    display_name = "5xx to Meta"
    condition_threshold {
      filter          = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${local.name}\" AND metric.label.response_code_class=\"5xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.1
      duration        = "300s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content   = "Meta delivers them again for seven days. docs/runbook.md, \"Webhooks are rejected\"."
    mime_type = "text/markdown"
  }
}

# What Prometheus would tell elsewhere, from the events of the log (docs/observability.md).
# Those of webhooks come from the service also where a worker pool answers.
locals {
  events = {
    dead_turns = {
      title   = "turns were given up"
      filter  = "jsonPayload.event=\"turn.dead\""
      runbook = "whatsapp-node deadletters list. docs/runbook.md, \"A turn was given up\"."
    }
    ambiguous_sends = {
      title   = "sends without an outcome"
      filter  = "jsonPayload.event=\"reply.ambiguous\" AND jsonPayload.detail!=\"waiting\""
      runbook = "Whether they arrived nobody could learn. docs/runbook.md, \"AmbiguousSends\"."
    }
    spend = {
      title   = "a budget is nearly or wholly spent"
      filter  = "(jsonPayload.event=\"budget.near\" OR jsonPayload.event=\"budget.reached\") AND jsonPayload.budget!=\"user\""
      runbook = "At its end nobody is answered any more that day. docs/runbook.md, \"Spend\"."
    }
    provider_fee = {
      title   = "Meta takes the bot for an assistant for general purposes"
      filter  = "jsonPayload.event=\"fee.provider\""
      runbook = "It costs more, and the number is at risk. docs/runbook.md, \"ProviderFee\"."
    }
  }
  of_webhooks = ["provider_fee"]
}

resource "google_logging_metric" "events" {
  for_each = local.events
  name     = "${local.name}/${each.key}"
  filter   = "resource.type=(\"cloud_run_revision\" OR \"cloud_run_worker_pool\") AND ${each.value.filter}"
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "events" {
  for_each              = local.events
  display_name          = "${local.name}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = local.channels
  conditions {
    display_name = each.value.title
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.events[each.key].name}\" AND resource.type=\"${local.scaled && !contains(local.of_webhooks, each.key) ? "cloud_run_worker_pool" : "cloud_run_revision"}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content   = each.value.runbook
    mime_type = "text/markdown"
  }
}
