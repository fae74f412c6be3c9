"""Images to classify: scikit-learn's digits, and IDX files such as MNIST's."""
