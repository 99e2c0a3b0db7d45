/* descent: steps of fixed size S along the negative hypergradient g_i at lambda_i. Kinds of step, with what
   they carry from one to the next:

     plain     lambda_{i+1} = lambda_i - S g_i
     heavy     V <- m V + g_i,  lambda_{i+1} = lambda_i - S V                  (Polyak)
     nesterov  V <- m V + g_i,  lambda_{i+1} = lambda_i - S (g_i + m V)        (lambda is the extrapolated
               point)
     adam      V <- b1 V + (1 - b1) g_i,  U <- b2 U + (1 - b2) g_i^2,
               lambda_{i+1} = lambda_i - S (V / (1 - b1^t)) / (sqrt(U / (1 - b2^t)) + eps),  t = i + 1
               (Kingma, Ba, ICLR 2015, algorithm 1; squares, roots and quotients entry by entry)

   Then lambda_{i+1} is projected onto the set Lambda. V and U are not: they are means of hypergradients. */
#include <twofold/impl/ulsimpl.h>

typedef enum { HEAVY, NESTEROV, ADAM } Kind;
static const char *const kinds[] = {"heavy", "nesterov", "adam"};

typedef struct {
  Kind kind; /* of what is carried */
  PetscReal momentum;
  PetscReal beta1, beta2, epsilon; /* adam */
  Vec velocity;                    /* V; none with plain steps */
  Vec square;                      /* U; adam alone */
  PetscErrorCode (*step)(ULS, Vec);
} Descent;

/* ------------------------------------------------------------------ kinds of step */

static PetscErrorCode StepPlain(ULS uls, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(VecAXPY(lambda, -uls->step, uls->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StepHeavy(ULS uls, Vec lambda)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(VecAYPX(descent->velocity, descent->momentum, uls->g));
  PetscCall(VecAXPY(lambda, -uls->step, descent->velocity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StepNesterov(ULS uls, Vec lambda)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(VecAYPX(descent->velocity, descent->momentum, uls->g));
  PetscCall(VecAXPY(lambda, -uls->step, uls->g));
  PetscCall(VecAXPY(lambda, -uls->step * descent->momentum, descent->velocity));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StepAdam(ULS uls, Vec lambda)
{
  Descent *descent = (Descent *)uls->data;
  const PetscReal b1 = descent->beta1, b2 = descent->beta2;
  const PetscReal correct1 = 1 - PetscPowReal(b1, (PetscReal)(uls->it + 1));
  const PetscReal correct2 = 1 - PetscPowReal(b2, (PetscReal)(uls->it + 1));
  const PetscScalar *g;
  PetscScalar *l, *v, *u;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetArrayRead(uls->g, &g));
  PetscCall(VecGetArray(lambda, &l));
  PetscCall(VecGetArray(descent->velocity, &v));
  PetscCall(VecGetArray(descent->square, &u));
  for (PetscInt j = 0; j < n; j++) {
    v[j] = b1 * v[j] + (1 - b1) * g[j];
    u[j] = b2 * u[j] + (1 - b2) * g[j] * g[j];
    l[j] -= uls->step * (v[j] / correct1) / (PetscSqrtReal(u[j] / correct2) + descent->epsilon);
  }
  PetscCall(VecRestoreArray(descent->square, &u));
  PetscCall(VecRestoreArray(descent->velocity, &v));
  PetscCall(VecRestoreArray(lambda, &l));
  PetscCall(VecRestoreArrayRead(uls->g, &g));
  PetscCall(PetscLogFlops(14.0 * (PetscLogDouble)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ solve */

/* lambda_{i+1} from lambda_i; *finite where it is finite. */
static PetscErrorCode Step(ULS uls, Vec lambda, PetscBool *finite)
{
  PetscReal norm;

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_ULSStep, uls, lambda, 0, 0));
  PetscCall((*((Descent *)uls->data)->step)(uls, lambda));
  PetscCall(VecNorm(lambda, NORM_2, &norm));
  *finite = (PetscBool)!PetscIsInfOrNanReal(norm);
  if (*finite) PetscCall(ULSProject_Private(uls, lambda));
  PetscCall(PetscLogEventEnd(TWOFOLD_ULSStep, uls, lambda, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSolve_Descent(ULS uls, Vec lambda)
{
  PetscBool usable, finite;

  PetscFunctionBegin;
  while (uls->it < uls->max_it) {
    PetscCall(ULSComputePoint_Private(uls, lambda, &usable));
    if (!usable) PetscFunctionReturn(PETSC_SUCCESS);
    PetscCall(HGAccept(uls->hg));
    PetscCall(Step(uls, lambda, &finite));
    uls->it++;
    if (!finite) {
      uls->reason = ULS_DIVERGED_NANORINF;
      PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(ULSAfterStep_Private(uls));
    if (uls->reason) PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(ULSComputeLast_Private(uls, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings */

static PetscErrorCode AdamOptions(ULS uls, PetscOptionItems *PetscOptionsObject)
{
  Descent *descent = (Descent *)uls->data;
  const MPI_Comm comm = PetscObjectComm((PetscObject)uls);

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-uls_adam_beta1", "Decay in [0, 1) of the mean of the hypergradients",
                             "ULSDESCENT", descent->beta1, &descent->beta1, NULL));
  PetscCall(PetscOptionsReal("-uls_adam_beta2", "Decay in [0, 1) of the mean of their squares", "ULSDESCENT",
                             descent->beta2, &descent->beta2, NULL));
  PetscCall(PetscOptionsReal("-uls_adam_epsilon", "What is added to the root of the mean square",
                             "ULSDESCENT", descent->epsilon, &descent->epsilon, NULL));
  PetscCheck(descent->momentum == 0, comm, PETSC_ERR_ARG_INCOMP,
             "-uls_momentum %g: adam has its own, -uls_adam_beta1", (double)descent->momentum);
  PetscCheck(descent->beta1 >= 0 && descent->beta1 < 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_adam_beta1 %g: must be in [0, 1)", (double)descent->beta1);
  PetscCheck(descent->beta2 >= 0 && descent->beta2 < 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_adam_beta2 %g: must be in [0, 1)", (double)descent->beta2);
  PetscCheck(descent->epsilon > 0 && !PetscIsInfReal(descent->epsilon), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_adam_epsilon %g: must be positive and finite", (double)descent->epsilon);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSetFromOptions_Descent(ULS uls, PetscOptionItems *PetscOptionsObject)
{
  Descent *descent = (Descent *)uls->data;
  PetscInt kind = (PetscInt)descent->kind;

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-uls_momentum", "Momentum in [0, 1)", "ULSDESCENT", descent->momentum,
                             &descent->momentum, NULL));
  PetscCall(PetscOptionsEList("-uls_momentum_type", "Kind of momentum", "ULSDESCENT", kinds, 3, kinds[kind],
                              &kind, NULL));
  PetscCheck(descent->momentum >= 0 && descent->momentum < 1, PetscObjectComm((PetscObject)uls),
             PETSC_ERR_ARG_OUTOFRANGE, "-uls_momentum %g: must be in [0, 1)", (double)descent->momentum);
  descent->kind = (Kind)kind;
  if (descent->kind == ADAM) PetscCall(AdamOptions(uls, PetscOptionsObject));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateMean(ULS uls, const char name[], Vec *mean)
{
  PetscFunctionBegin;
  PetscCall(VecDuplicate(uls->g, mean));
  PetscCall(VecZeroEntries(*mean));
  PetscCall(PetscObjectSetName((PetscObject)*mean, name)); /* in checkpoints */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSetUp_Descent(ULS uls)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&descent->velocity));
  PetscCall(VecDestroy(&descent->square));
  descent->step = StepPlain;
  if (descent->kind != ADAM && descent->momentum == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CreateMean(uls, "velocity", &descent->velocity));
  if (descent->kind == ADAM) PetscCall(CreateMean(uls, "square", &descent->square));
  descent->step = descent->kind == ADAM ? StepAdam : descent->kind == NESTEROV ? StepNesterov : StepHeavy;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSSaveState_Descent(ULS uls, PetscViewer viewer)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  if (descent->velocity) PetscCall(VecView(descent->velocity, viewer));
  if (descent->square) PetscCall(VecView(descent->square, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSRestoreState_Descent(ULS uls, PetscViewer viewer)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  if (descent->velocity) PetscCall(TwofoldVecRestore(descent->velocity, viewer));
  if (descent->square) PetscCall(TwofoldVecRestore(descent->square, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSView_Descent(ULS uls, PetscViewer viewer)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "step size %g\n", (double)uls->step));
  if (descent->kind == ADAM)
    PetscCall(PetscViewerASCIIPrintf(viewer, "adam, beta1 %g, beta2 %g, epsilon %g\n", (double)descent->beta1,
                                     (double)descent->beta2, (double)descent->epsilon));
  else if (descent->momentum > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s momentum %g\n",
                                     descent->kind == NESTEROV ? "Nesterov" : "heavy",
                                     (double)descent->momentum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSGetMemory_Descent(ULS uls, PetscLogDouble *bytes)
{
  Descent *descent = (Descent *)uls->data;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(uls->g, &nlocal));
  *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar) *
            ((descent->velocity ? 1 : 0) + (descent->square ? 1 : 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ULSDestroy_Descent(ULS uls)
{
  Descent *descent = (Descent *)uls->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&descent->velocity));
  PetscCall(VecDestroy(&descent->square));
  PetscCall(PetscFree(uls->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSCreate_Descent(ULS uls)
{
  Descent *descent;

  PetscFunctionBegin;
  PetscCall(PetscNew(&descent));
  descent->beta1 = 0.9;
  descent->beta2 = 0.999;
  descent->epsilon = 1e-8;
  uls->data = descent;
  uls->ops->setfromoptions = ULSSetFromOptions_Descent;
  uls->ops->setup = ULSSetUp_Descent;
  uls->ops->solve = ULSSolve_Descent;
  uls->ops->savestate = ULSSaveState_Descent;
  uls->ops->restorestate = ULSRestoreState_Descent;
  uls->ops->view = ULSView_Descent;
  uls->ops->memory = ULSGetMemory_Descent;
  uls->ops->destroy = ULSDestroy_Descent;
  PetscFunctionReturn(PETSC_SUCCESS);
}
