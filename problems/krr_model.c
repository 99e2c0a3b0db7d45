/* krr as a model: what is predicted for a sample is its row of the kernel with the training samples, times w.
   So a model keeps these samples, less the means of their features, which are taken off new samples too. */
#include "krr.h"

/* ------------------------------------------------------------------ there and back */

/* Between samples of this rank, one after the other, and as KRRSamples has them: feature after feature. */
static void Transpose(PetscInt rows, PetscInt columns, const PetscReal from[], PetscReal to[])
{
  for (PetscInt i = 0; i < rows; i++)
    for (PetscInt j = 0; j < columns; j++) to[(size_t)j * rows + i] = from[(size_t)i * columns + j];
}

PetscErrorCode BLPSaveModel_KRR(BLP blp, TwofoldGroup group)
{
  const KRR *krr = (KRR *)blp->data;
  const KRRSamples *const train = &krr->set[BLP_TRAIN];
  const PetscInt n = train->layout->n, p = krr->p;
  PetscReal *rows;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupPutInt(group, "raw", krr->parameters == KRR_RAW));
  PetscCall(TwofoldGroupPutInt(group, "samples", train->layout->N));
  PetscCall(TwofoldGroupPutReals(group, "mean", p, krr->mean));
  if (krr->two) PetscCall(TwofoldGroupPutReals(group, "threshold", 1, &krr->threshold));
  PetscCall(PetscMalloc1((size_t)n * p + 1, &rows));
  Transpose(p, n, train->x, rows);
  PetscCall(TwofoldGroupPutPieces(group, "sample", PETSC_REAL, (PetscInt64)n * p, rows));
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The training samples, dealt to the ranks anew. */
static PetscErrorCode LoadSamples(KRR *krr, TwofoldGroup group)
{
  KRRSamples *const train = &krr->set[BLP_TRAIN];
  const PetscInt n = train->layout->n, p = krr->p;
  PetscReal *rows;
  PetscBool has;
  PetscInt64 found;

  PetscFunctionBegin;
  PetscCall(TwofoldGroupHas(group, "sample", &has, &found));
  PetscCheck(has && found == (PetscInt64)train->layout->N * p, train->layout->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: model/sample has not %" PetscInt_FMT " samples of %" PetscInt_FMT
             " features: the file is damaged",
             TwofoldGroupPath(group), train->layout->N, p);
  PetscCall(PetscMalloc1((size_t)n * p + 1, &rows));
  PetscCall(TwofoldGroupGetPieces(group, "sample", PETSC_REAL, (PetscInt64)train->layout->rstart * p,
                                  (PetscInt64)n * p, rows));
  Transpose(n, p, rows, train->x);
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLoadModel_KRR(BLP blp, TwofoldGroup group)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  KRR *krr = (KRR *)blp->data;
  PetscInt nlocal = PETSC_DECIDE;
  PetscInt64 raw, n;

  PetscFunctionBegin;
  PetscCall(KRRReset_Private(blp));
  PetscCall(TwofoldGroupGetInt(group, "raw", &raw));
  PetscCall(TwofoldGroupGetInt(group, "samples", &n));
  PetscCheck(n > 0 && n <= PETSC_MAX_INT, comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: a model of problem krr with %" PetscInt64_FMT " samples: the file is damaged",
             TwofoldGroupPath(group), n);
  krr->parameters = raw ? KRR_RAW : KRR_EXP;
  blp->nw = (PetscInt)n;
  PetscCall(DataSetGetSizes(blp->like, NULL, &krr->p, NULL));
  PetscCall(PetscSplitOwnership(comm, &nlocal, &blp->nw));
  PetscCall(KRRLayOut_Private(blp, nlocal));
  PetscCall(KRRSamplesLayOut_Private(comm, nlocal, blp->nw, krr->p, &krr->set[BLP_TRAIN]));
  PetscCall(LoadSamples(krr, group));
  PetscCall(TwofoldGroupGetReals(group, "mean", krr->p, krr->mean));
  PetscCall(TwofoldGroupHas(group, "threshold", &krr->two, NULL));
  if (krr->two) PetscCall(TwofoldGroupGetReals(group, "threshold", 1, &krr->threshold));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ other samples */

/* z = K w for the rows of these samples. */
static PetscErrorCode Apply(KRR *krr, const KRRSamples *rows, Vec w, PetscScalar z[])
{
  KRRKernel kernel = {.row = rows, .column = &krr->set[BLP_TRAIN], .gamma = krr->at + 1};
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(KRRKernelCompute_Private(&kernel));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(KRRSamplesGather_Private(&krr->set[BLP_TRAIN], a, krr->all));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(KRRKernelMult_Private(&kernel, krr->all, z));
  PetscCall(KRRKernelReset_Private(&kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPPredict_KRR(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics)
{
  KRR *krr = (KRR *)blp->data;
  KRRSamples rows = {0};
  PetscScalar *z;

  PetscFunctionBegin;
  PetscCall(KRRUpdateParameters_Private(blp, lambda));
  PetscCall(KRRSamplesCreate_Private(ds, &rows));
  KRRSamplesShift_Private(krr->mean, &rows);
  PetscCall(VecCreateMPI(PetscObjectComm((PetscObject)blp), rows.layout->n, rows.layout->N, Z));
  PetscCall(VecGetArrayWrite(*Z, &z));
  PetscCall(Apply(krr, &rows, w, z));
  PetscCall(KRRMeasure_Private(krr, &rows, z, metrics));
  PetscCall(VecRestoreArrayWrite(*Z, &z));
  PetscCall(KRRSamplesDestroy_Private(&rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}
