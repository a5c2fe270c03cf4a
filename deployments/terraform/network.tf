# A network of its own: Cloud Run reaches Valkey over private addresses, everything else
# (Meta, the vendors) over the internet.
resource "google_compute_network" "bot" {
  name                    = local.name
  auto_create_subnetworks = false
  depends_on              = [google_project_service.needed]
}

resource "google_compute_subnetwork" "run" {
  name                     = local.name
  region                   = var.region
  network                  = google_compute_network.bot.id
  ip_cidr_range            = "10.10.0.0/24" # at least a /26: two addresses for each instance
  private_ip_google_access = true
}

resource "google_compute_subnetwork" "valkey" {
  name          = "${local.name}-valkey"
  region        = var.region
  network       = google_compute_network.bot.id
  ip_cidr_range = "10.10.1.0/28"
}

resource "google_network_connectivity_service_connection_policy" "valkey" {
  name          = "${local.name}-valkey"
  location      = var.region
  service_class = "gcp-memorystore"
  network       = google_compute_network.bot.id
  psc_config {
    subnetworks = [google_compute_subnetwork.valkey.id]
  }
}
