#ifndef TWOFOLD_PREDICTIONS_H
#define TWOFOLD_PREDICTIONS_H
/* Predictions and the file they are written to. */
#include "cli.h"

typedef struct {
  DataSet ds;              /* samples; its first c classes are the model's */
  PetscBool targets;       /* numbers are predicted, not classes: what is below for classes is NULL */
  Vec Z;                   /* class probabilities, n x c; or the predicted numbers, n */
  PetscInt n, c, nlocal;   /* samples, classes of the model, samples of this rank */
  PetscInt *predicted;     /* most probable class of each of them */
  const PetscInt *label;   /* their labels: classes, c and above for one that the model does not know */
  const PetscReal *value;  /* label of each class, as the data have it */
  const char *const *name; /* or, where not NULL, its name */
  const char *documents;   /* names of this rank's samples, one behind the other, or NULL */
} Predictions;

/* Whether the file could be written, before anything is computed. Collective. */
PetscErrorCode PredictionsCheckPath(const char path[]);
/* One line a sample in global order (or, where the path ends in .h5, HDF5), aside and then renamed: the
   predicted label (number) and, where asked for, the probabilities. Collective. */
PetscErrorCode PredictionsWrite(const Predictions *p, const char path[], PetscBool probabilities);
/* The label of a class as text. */
PetscErrorCode PredictionsLabel(const Predictions *p, PetscInt k, char text[], size_t len);

#endif
