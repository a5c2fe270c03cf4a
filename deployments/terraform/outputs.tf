output "webhook_url" {
  description = "Callback URL for Meta's app dashboard."
  value       = "${google_cloud_run_v2_service.bot.uri}/webhook"
}

output "service" {
  description = "CLOUD_RUN_SERVICE of the deploy workflow."
  value       = google_cloud_run_v2_service.bot.name
}

output "worker_pool" {
  description = "CLOUD_RUN_WORKER_POOL of the deploy workflow; empty in the small shape."
  value       = local.scaled ? google_cloud_run_v2_worker_pool.bot[0].name : ""
}

output "workload_identity_provider" {
  description = "GCP_WORKLOAD_IDENTITY_PROVIDER of the deploy workflow."
  value       = one(google_iam_workload_identity_pool_provider.github[*].name)
}

output "empty_secrets" {
  description = "Secrets that wait for their first version: gcloud secrets versions add NAME --data-file=-"
  value       = concat([for s in google_secret_manager_secret.meta : s.secret_id], [for s in google_secret_manager_secret.vendor : s.secret_id])
}
