terraform {
  required_version = ">= 1.7"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 9.0"
    }
  }
  # Keep the state in a bucket with versions: terraform init -backend-config="bucket=..."
  backend "gcs" {
    prefix = "whatsapp-node"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}
