# terraform init -backend=false && terraform test: runs without an account, wherever the google
# provider can be downloaded.
mock_provider "google" {
  mock_resource "google_memorystore_instance" {
    defaults = {
      endpoints = [{
        connections = [{
          psc_auto_connection = [{
            connection_type = "CONNECTION_TYPE_PRIMARY"
            ip_address      = "10.10.1.2"
            port            = 6379
          }]
        }]
      }]
      managed_server_ca = [{
        ca_certs = [{
          certificates = ["-----BEGIN CERTIFICATE-----"]
        }]
      }]
    }
  }
}

variables {
  project_id      = "example"
  phone_number_id = "106500000000001"
  image           = "gcr.io/example/whatsapp-node@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

run "small" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.bot.template[0].containers[0].resources[0].cpu_idle == false
    error_message = "A service that answers needs its CPU after the 200."
  }
  assert {
    condition     = google_cloud_run_v2_service.bot.scaling[0].min_instance_count == 1
    error_message = "Somebody must be there for a due turn."
  }
  assert {
    condition     = length(google_cloud_run_v2_worker_pool.bot) == 0
    error_message = "The small shape has no worker pool."
  }
  assert {
    condition     = google_memorystore_instance.messages.persistence_config[0].aof_config[0].append_fsync == "ALWAYS"
    error_message = "A 200 stands on a disk."
  }
}

run "scaled" {
  command = plan

  variables {
    shape = "scaled"
  }
  assert {
    condition     = google_cloud_run_v2_service.bot.template[0].containers[0].resources[0].cpu_idle == true
    error_message = "A service that only takes webhooks needs no CPU between them."
  }
  assert {
    condition     = google_cloud_run_v2_worker_pool.bot[0].scaling[0].manual_instance_count == 2
    error_message = "Two workers by default."
  }
}

run "image_without_digest" {
  command = plan

  variables {
    image = "gcr.io/example/whatsapp-node:latest"
  }
  expect_failures = [var.image]
}

run "secret_in_the_settings" {
  command = plan

  variables {
    settings = { OPENAI_API_KEY = "sk" }
  }
  expect_failures = [var.settings]
}
