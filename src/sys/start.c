/* Start-up, and the log events. Classes and their types register themselves when they are first needed. */
#include <slepcsys.h>
#include <twofold/impl/sysimpl.h>

static PetscBool registered = PETSC_FALSE, started_here = PETSC_FALSE;

const char *const TwofoldStandings[] = {"unknown",         "proved",   "computed", "user",
                                        "TwofoldStanding", "TWOFOLD_", NULL};

PetscLogEvent TWOFOLD_DataLoad, TWOFOLD_DataExchange, TWOFOLD_MatMult, TWOFOLD_MatMultTranspose,
    TWOFOLD_MatSweep;
PetscLogEvent TWOFOLD_LSETProject, TWOFOLD_PrecondBuild, TWOFOLD_PrecondApply;
PetscLogEvent TWOFOLD_UpperEval, TWOFOLD_LossGradient, TWOFOLD_LossHessian;
PetscLogEvent TWOFOLD_FPMStep, TWOFOLD_FPMLinearize, TWOFOLD_FPMJVP, TWOFOLD_FPMVJP, TWOFOLD_FPMNormalStep;
PetscLogEvent TWOFOLD_LLSSolve, TWOFOLD_TapePush, TWOFOLD_TapePop;
PetscLogEvent TWOFOLD_AdjointSolve, TWOFOLD_HGSolve, TWOFOLD_ULSStep, TWOFOLD_Checkpoint;

static PetscErrorCode ForgetEvents(void)
{
  PetscFunctionBegin;
  registered = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldRegisterEvents(void)
{
  const struct {
    const char *name;
    PetscLogEvent *event;
  } events[] = {
      {"TFDataLoad", &TWOFOLD_DataLoad},
      {"TFDataExchange", &TWOFOLD_DataExchange},
      {"TFMatMult", &TWOFOLD_MatMult},
      {"TFMatMultTrans", &TWOFOLD_MatMultTranspose},
      {"TFMatSweep", &TWOFOLD_MatSweep},
      {"TFUpperEval", &TWOFOLD_UpperEval},
      {"TFLossGradient", &TWOFOLD_LossGradient},
      {"TFLossHessian", &TWOFOLD_LossHessian},
      {"TFMapStep", &TWOFOLD_FPMStep},
      {"TFMapLinearize", &TWOFOLD_FPMLinearize},
      {"TFMapJVP", &TWOFOLD_FPMJVP},
      {"TFMapVJP", &TWOFOLD_FPMVJP},
      {"TFMapNormalStep", &TWOFOLD_FPMNormalStep},
      {"TFProject", &TWOFOLD_LSETProject},
      {"TFPrecondBuild", &TWOFOLD_PrecondBuild},
      {"TFPrecondApply", &TWOFOLD_PrecondApply},
      {"TFLowerSolve", &TWOFOLD_LLSSolve},
      {"TFTapePush", &TWOFOLD_TapePush},
      {"TFTapePop", &TWOFOLD_TapePop},
      {"TFAdjointSolve", &TWOFOLD_AdjointSolve},
      {"TFHypergradient", &TWOFOLD_HGSolve},
      {"TFUpperStep", &TWOFOLD_ULSStep},
      {"TFCheckpoint", &TWOFOLD_Checkpoint},
  };
  PetscClassId id;

  PetscFunctionBegin;
  if (registered) PetscFunctionReturn(PETSC_SUCCESS);
  registered = PETSC_TRUE;
  PetscCall(PetscRegisterFinalize(ForgetEvents));
  PetscCall(PetscClassIdRegister("Twofold", &id));
  for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
    PetscCall(PetscLogEventRegister(events[i].name, id, events[i].event));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldInitialize(int *argc, char ***argv, const char file[], const char help[])
{
  PetscBool running;
  PetscErrorCode ierr;

  ierr = SlepcInitialized(&running);
  if (ierr) return ierr;
  if (!running) {
    ierr = SlepcInitialize(argc, argv, file, help);
    if (ierr) return ierr;
    started_here = PETSC_TRUE;
  }
  PetscFunctionBegin;
  PetscCall(TwofoldRegisterEvents());
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFinalize(void)
{
  PetscErrorCode ierr = PETSC_SUCCESS;

  if (started_here) {
    started_here = PETSC_FALSE;
    ierr = SlepcFinalize();
  }
  return ierr;
}
